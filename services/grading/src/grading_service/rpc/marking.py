"""`Marking`: the queue, marks, full results and their release, for staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

import grpc
import sqlalchemy as sa
from examkit import paging
from examkit.clock import Clock
from examkit.db import Database
from examkit.errors import invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_user
from examprotos.grading.v1 import marking_pb2, marking_pb2_grpc

from grading_service import metrics
from grading_service.domain.student_view import GradedItem
from grading_service.repository import grades, papers
from grading_service.repository.papers import PaperCache
from grading_service.rpc import conversions
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.release_results import release_results

MOST_RESULTS = 500


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
        async with self._db.reading() as conn:
            rows = await grades.pending_items(conn, exam_id, limit + 1, _place(request.cursor))
            total = await grades.pending_total(conn, exam_id)
            exams = {row.exam_id: await self._cache.get(conn, row.exam_id) for row in rows}
        page = rows[:limit]
        return marking_pb2.ListQueueResponse(
            items=[_queue_item(row, exams[row.exam_id]) for row in page],
            next_cursor=_cursor(page[-1]) if len(rows) > limit else "",
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
        metrics.marks.inc()
        return conversions.full_result(grade, items)

    async def BatchGetResults(
        self, request: marking_pb2.BatchGetResultsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.BatchGetResultsResponse:
        if len(request.student_exam_ids) > MOST_RESULTS:
            raise invalid(f"Ask for at most {MOST_RESULTS} results at once.")
        wanted = [conversions.uuid_of(text, "student_exam_ids") for text in request.student_exam_ids]
        async with self._db.reading() as conn:
            found = await grades.by_attempts(conn, wanted)
            items: dict[UUID, list[GradedItem]] = {}
            if request.with_items:
                items = await grades.items(conn, [(one.student_id, one.student_exam_id) for one in found])
        results = [conversions.full_result(one, items.get(one.student_exam_id, ())) for one in found]
        return marking_pb2.BatchGetResultsResponse(items=results)

    async def ReleaseResults(
        self, request: marking_pb2.ReleaseResultsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.ReleaseResultsResponse:
        exam_id = parse_uuid(request.exam_id)
        moment = await release_results(self._db, exam_id, current_user().user_id, self._clock())
        return marking_pb2.ReleaseResultsResponse(released_at=conversions.stamp(moment))


def _queue_item(row: sa.Row[Any], paper: papers.Paper) -> marking_pb2.QueueItem:
    guidance = {one.question.question_id: one.explanation for one in paper.questions}
    return marking_pb2.QueueItem(
        student_exam_id=str(row.student_exam_id),
        student_id=str(row.student_id),
        exam_id=str(row.exam_id),
        question_id=str(row.question_id),
        answer_json=conversions.answer_json(row.answer),
        max_score_hundredths=row.max_score,
        submitted_at=conversions.stamp(row.closed_at),
        explanation=guidance.get(row.question_id, ""),
    )


def _cursor(row: sa.Row[Any]) -> str:
    return paging.encode(row.closed_at.isoformat(), str(row.student_exam_id), str(row.question_id))


def _place(cursor: str) -> tuple[datetime, UUID, UUID] | None:
    parts = paging.decode(cursor, 3)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[0]), UUID(parts[1]), UUID(parts[2])
    except ValueError:
        raise invalid("The cursor is not one of this list.") from None
