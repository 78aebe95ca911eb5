"""`Marking`: the queue, claims, marks, full results and their release, for staff."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import grpc
from examkit import paging
from examkit.clock import Clock
from examkit.db import Database
from examkit.errors import AppError, FieldError, Kind, invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_user
from examprotos.grading.v1 import marking_pb2, marking_pb2_grpc

from grading_service.domain.student_view import GradedItem
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import PaperCache
from grading_service.repository.queue import GroupBy, Place, Wanted
from grading_service.rpc import conversions
from grading_service.usecases.claim_answer import claim_answer, release_answer
from grading_service.usecases.full_results import full_results
from grading_service.usecases.marking_queue import Queued, claim_next, list_queue
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.release_results import release_results

MOST_CLAIMS = 50
MOST_MARKS = 200


class MarkingServicer(marking_pb2_grpc.MarkingServicer):
    def __init__(self, db: Database, cache: PaperCache, clock: Clock) -> None:
        self._db = db
        self._cache = cache
        self._clock = clock

    async def ListQueue(
        self, request: marking_pb2.ListQueueRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.ListQueueResponse:
        wanted = _wanted(request, current_user().user_id if request.free else None)
        limit = paging.limit_of(request.limit)
        after = _place(request.cursor, wanted.group_by)
        found, waiting = await list_queue(self._db, self._cache, wanted, limit + 1, after, self._clock())
        page = found[:limit]
        cursor = _cursor(page[-1], wanted.group_by) if len(found) > limit else ""
        return conversions.queue(page, waiting, cursor)

    async def ClaimNext(
        self, request: marking_pb2.ListQueueRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.ListQueueResponse:
        marker = current_user().user_id
        limit = min(paging.limit_of(request.limit), MOST_CLAIMS)
        found, waiting = await claim_next(
            self._db, self._cache, _wanted(request, marker), limit, marker, self._clock()
        )
        return conversions.queue(found, waiting, "")

    async def ClaimAnswer(
        self, request: marking_pb2.AnswerRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.Claim:
        claim = await claim_answer(self._db, *_answer(request), current_user().user_id, self._clock())
        return conversions.claim(claim)

    async def ReleaseAnswer(
        self, request: marking_pb2.AnswerRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.ReleaseAnswerResponse:
        await release_answer(self._db, *_answer(request), current_user().user_id)
        return marking_pb2.ReleaseAnswerResponse()

    async def PutMark(
        self, request: marking_pb2.PutMarkRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.FullResult:
        return conversions.full_result(*await self._mark(request))

    async def PutMarks(
        self, request: marking_pb2.PutMarksRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> marking_pb2.PutMarksResponse:
        if len(request.marks) > MOST_MARKS:
            raise invalid(f"Give at most {MOST_MARKS} marks at once.")
        return marking_pb2.PutMarksResponse(verdicts=[await self._verdict(one) for one in request.marks])

    async def _mark(self, request: marking_pb2.PutMarkRequest) -> tuple[GradedAttempt, list[GradedItem]]:
        return await put_mark(
            self._db,
            self._cache,
            parse_uuid(request.student_exam_id),
            parse_uuid(request.question_id),
            request.score_hundredths,
            request.comment,
            current_user().user_id,
            self._clock(),
            criteria=conversions.criteria_of(request.criteria),
            expected_version=request.expected_version if request.HasField("expected_version") else None,
        )

    async def _verdict(self, request: marking_pb2.PutMarkRequest) -> marking_pb2.MarkVerdict:
        """Each mark is a transaction of its own: one that is refused costs no other."""
        try:
            _, items = await self._mark(request)
        except AppError as error:
            if error.kind in (Kind.UNAVAILABLE, Kind.INTERNAL):
                raise
            return conversions.refused_mark(error)
        marked = next(item for item in items if item.question_id == request.question_id)
        return marking_pb2.MarkVerdict(version=marked.mark_version)

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


def _answer(request: marking_pb2.AnswerRequest) -> tuple[UUID, UUID]:
    return parse_uuid(request.student_exam_id), parse_uuid(request.question_id)


def _wanted(request: marking_pb2.ListQueueRequest, free_for: UUID | None) -> Wanted:
    """Raises: invalid."""
    if request.group_by not in ("", *GroupBy):
        raise invalid("group_by is unknown.", FieldError(("query", "group_by"), "Give student or question."))
    return Wanted(
        exam_id=conversions.uuid_of(request.exam_id, "exam_id") if request.exam_id else None,
        question_id=conversions.uuid_of(request.question_id, "question_id") if request.question_id else None,
        group_by=GroupBy(request.group_by or GroupBy.STUDENT),
        free_for=free_for,
    )


def _cursor(last: Queued, group_by: GroupBy) -> str:
    place = last.answer.place(group_by)
    return paging.encode(*(one.isoformat() if isinstance(one, datetime) else str(one) for one in place))


_PARTS: dict[GroupBy, tuple[Callable[[str], Any], ...]] = {
    GroupBy.STUDENT: (datetime.fromisoformat, UUID, UUID),
    GroupBy.QUESTION: (UUID, int, datetime.fromisoformat, UUID),
}


def _place(cursor: str, group_by: GroupBy) -> Place | None:
    readers = _PARTS[group_by]
    parts = paging.decode(cursor, len(readers))
    if parts is None:
        return None
    try:
        return tuple(read(part) for read, part in zip(readers, parts, strict=True))
    except ValueError:
        raise invalid("The cursor is not one of this list.") from None
