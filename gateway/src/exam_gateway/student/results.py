"""A student's own results, as far as the exam's policy allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import structlog
from examkit.errors import AppError, Kind
from examkit.rpc.client import call
from examprotos.exam.v1 import attempts_pb2
from examprotos.grading.v1 import results_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StudentRoute
from exam_gateway.shapes import Cursor, Id, Limit
from exam_gateway.student import convert, shapes
from exam_gateway.student.backend import READ_SECONDS, Student, StudentBackend
from exam_gateway.wire import page_limit

PAPER_SECONDS = 2.0

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/v1/student", tags=["taking an exam"], route_class=StudentRoute)


@router.get("/results", operation_id="list_my_results", summary="My results")
async def list_my_results(
    student: Student, limit: Annotated[Limit, Query()] = 50, cursor: Annotated[Cursor, Query()] = ""
) -> shapes.MyResults:
    """What the policy withholds is null."""
    request = results_pb2.ListMyResultsRequest(limit=page_limit(limit), cursor=cursor)
    found = await call(student.results.ListMyResults, request, timeout=READ_SECONDS, idempotent=True)
    return shapes.MyResults(
        items=[convert.my_result_summary(result) for result in found.items],
        next_cursor=found.next_cursor or None,
    )


@router.get(
    "/results/{student_exam_id}",
    operation_id="get_my_result",
    summary="One result, with its items",
    responses=failures("not_found", "results_not_released"),
)
async def get_my_result(student_exam_id: Id, student: Student) -> shapes.MyResult:
    """Not graded yet: `grading` is pending, and there are no scores, from the end of the time on."""
    request = results_pb2.GetMyResultRequest(student_exam_id=str(student_exam_id))
    try:
        found = await call(student.results.GetMyResult, request, timeout=READ_SECONDS, idempotent=True)
    except AppError as error:
        if error.kind not in (Kind.NOT_FOUND, Kind.UNAVAILABLE):
            raise
        return await _ungraded(student_exam_id, student)
    return convert.my_result(found, await _paper(student_exam_id, student) if found.released else ())


async def _paper(student_exam_id: Id, student: StudentBackend) -> Sequence[attempts_pb2.AttemptQuestion]:
    """The questions as the student saw them: a result is read without them too."""
    request = attempts_pb2.GetClosedPaperRequest(student_exam_id=str(student_exam_id))
    try:
        found = await call(student.attempts.GetClosedPaper, request, timeout=PAPER_SECONDS, idempotent=True)
    except AppError as error:
        log.info("paper_not_read", code=error.code)
        return ()
    return list(found.questions)


async def _ungraded(student_exam_id: Id, student: StudentBackend) -> shapes.MyResult:
    """Exam knows of an attempt once it is submitted or its time is up. Raises not_found."""
    request = attempts_pb2.GetSubmissionRequest(student_exam_id=str(student_exam_id))
    return convert.ungraded_result(
        await call(student.attempts.GetSubmission, request, timeout=READ_SECONDS, idempotent=True)
    )
