"""`Results`: a student's own results."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import grpc
from examkit import paging
from examkit.batching import Batcher
from examkit.clock import Clock
from examkit.db import Database
from examkit.errors import invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_user
from examprotos.grading.v1 import results_pb2, results_pb2_grpc

from grading_service.exam_ends import ExamEnds
from grading_service.rpc import conversions
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.student_results import VisibleResult, my_released_result, my_results, results_of

LONGEST_WAIT_SECONDS = 5.0


class ResultsServicer(results_pb2_grpc.ResultsServicer):
    def __init__(self, db: Database, ends: ExamEnds, waiters: GradeWaiters, clock: Clock) -> None:
        self._db = db
        self._ends = ends
        self._waiters = waiters
        self._clock = clock
        # A class that submits at once is graded at once, and then reads at once. Two, since one may wait for
        # exam's word: the results of other exams go on beside it.
        self._results = Batcher("awaited results", self._read, in_flight=2, most=200)

    async def _read(self, attempts: Sequence[tuple[UUID, UUID]]) -> Sequence[VisibleResult | None]:
        return await results_of(self._db, self._ends, attempts, self._clock())

    async def Await(
        self, request: results_pb2.AwaitRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> results_pb2.StudentResult:
        student_id = current_user().user_id
        attempt_id = parse_uuid(request.student_exam_id)
        seconds = min(max(request.timeout_ms, 0) / 1000, LONGEST_WAIT_SECONDS)
        await self._waiters.wait(student_id, attempt_id, request.attempt_version, seconds)
        result = await self._results.do((student_id, attempt_id))
        if result is None or result.grade.attempt_version < request.attempt_version:
            return results_pb2.StudentResult(student_exam_id=str(attempt_id), grading="pending")
        return conversions.student_result(result)

    async def ListMyResults(
        self, request: results_pb2.ListMyResultsRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> results_pb2.ListMyResultsResponse:
        limit = paging.limit_of(request.limit)
        after = _place(request.cursor)
        page = await my_results(self._db, current_user().user_id, limit + 1, after, self._clock())
        more = len(page) > limit
        page = page[:limit]
        cursor = (
            paging.encode(page[-1].grade.closed_at.isoformat(), str(page[-1].grade.student_exam_id))
            if more
            else ""
        )
        items = [conversions.student_result(one) for one in page]
        return results_pb2.ListMyResultsResponse(items=items, next_cursor=cursor)

    async def GetMyResult(
        self, request: results_pb2.GetMyResultRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> results_pb2.StudentResult:
        attempt_id = parse_uuid(request.student_exam_id)
        student_id = current_user().user_id
        result = await my_released_result(self._db, self._ends, student_id, attempt_id, self._clock())
        return conversions.student_result(result)


def _place(cursor: str) -> tuple[datetime, UUID] | None:
    parts = paging.decode(cursor, 2)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[0]), UUID(parts[1])
    except ValueError:
        raise invalid("The cursor is not one of this list.") from None
