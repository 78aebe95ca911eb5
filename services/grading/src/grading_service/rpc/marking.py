"""`Marking`: the queue, marks, full results and their release, for staff."""

from datetime import datetime
from uuid import UUID

import grpc
from examkit import paging
from examkit.clock import Clock
from examkit.db import Database
from examkit.errors import invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_user
from examprotos.grading.v1 import marking_pb2, marking_pb2_grpc

from grading_service.repository.papers import PaperCache
from grading_service.rpc import conversions
from grading_service.usecases.full_results import full_results
from grading_service.usecases.marking_queue import Place, Queued, list_queue
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.release_results import release_results


class MarkingServicer(marking_pb2_grpc.MarkingServicer):
    def __init__(self, db: Database, cache: PaperCache, clock: Clock) -> None:
        self._db = db
        self._cache = cache
        self._clock = clock

    async def ListQueue(
        self, request: marking_pb2.ListQueueRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.ListQueueResponse:
        exam_id = conversions.uuid_of(request.exam_id, "exam_id") if request.exam_id else None
        limit = paging.limit_of(request.limit)
        found, total = await list_queue(self._db, self._cache, exam_id, limit + 1, _place(request.cursor))
        page = found[:limit]
        return marking_pb2.ListQueueResponse(
            items=[conversions.queue_item(one) for one in page],
            next_cursor=_cursor(page[-1]) if len(found) > limit else "",
            total=total,
        )

    async def PutMark(
        self, request: marking_pb2.PutMarkRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.FullResult:
        grade, items = await put_mark(
            self._db,
            self._cache,
            parse_uuid(request.student_exam_id),
            parse_uuid(request.question_id),
            request.score_hundredths,
            request.comment,
            current_user().user_id,
            self._clock(),
        )
        return conversions.full_result(grade, items)

    async def BatchGetResults(
        self, request: marking_pb2.BatchGetResultsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.BatchGetResultsResponse:
        wanted = [conversions.uuid_of(text, "student_exam_ids") for text in request.student_exam_ids]
        found = await full_results(self._db, wanted, with_items=request.with_items)
        return marking_pb2.BatchGetResultsResponse(items=[conversions.full_result(*one) for one in found])

    async def ReleaseResults(
        self, request: marking_pb2.ReleaseResultsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.ReleaseResultsResponse:
        exam_id = parse_uuid(request.exam_id)
        moment = await release_results(self._db, exam_id, current_user().user_id, self._clock())
        return marking_pb2.ReleaseResultsResponse(released_at=conversions.stamp(moment))


def _cursor(last: Queued) -> str:
    answer = last.answer
    return paging.encode(answer.closed_at.isoformat(), str(answer.student_exam_id), str(answer.question_id))


def _place(cursor: str) -> Place | None:
    parts = paging.decode(cursor, 3)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[0]), UUID(parts[1]), UUID(parts[2])
    except ValueError:
        raise invalid("The cursor is not one of this list.") from None
