"""Marks and results: attempts from exam, grades from grading, names from auth, joined here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from examkit.rpc.client import call
from examprotos.exam.v1 import invigilation_pb2
from examprotos.grading.v1 import marking_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit
from exam_gateway.staff import result_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import NOBODY, people
from exam_gateway.wire import hundredths, page_limit, when

router = APIRouter(prefix="/api/v1/admin", tags=["marks and results"], route_class=StaffRoute)


@router.get("/grading/queue", operation_id="grading_queue", summary="Answers that wait for a marker")
async def grading_queue(
    staff: Staff,
    exam_id: Annotated[Id | None, Query()] = None,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
) -> shapes.Queue:
    """Oldest first."""
    request = marking_pb2.ListQueueRequest(
        exam_id=str(exam_id) if exam_id else "", limit=page_limit(limit), cursor=cursor
    )
    found = await call(staff.marking.ListQueue, request, timeout=READ_SECONDS, idempotent=True)
    names = await people(staff, (item.student_id for item in found.items))
    return shapes.Queue(
        items=[shapes.queue_item(item, names.get(item.student_id, NOBODY)) for item in found.items],
        next_cursor=found.next_cursor or None,
        total=found.total,
    )


@router.put(
    "/grading/{student_exam_id}/{question_id}",
    operation_id="put_mark",
    summary="Mark an answer",
    responses=failures("not_found", "not_markable"),
)
async def put_mark(
    student_exam_id: Id, question_id: Id, body: shapes.Mark, staff: Staff
) -> shapes.FullResult:
    """Sets or replaces a manual mark; 422 above the maximum."""
    request = marking_pb2.PutMarkRequest(
        student_exam_id=str(student_exam_id),
        question_id=str(question_id),
        score_hundredths=hundredths(body.score),
        comment=body.comment,
    )
    # Sent once: each mark is a row of its history.
    grade = await call(staff.marking.PutMark, request, timeout=WRITE_SECONDS)
    names = await people(staff, [grade.student_id])
    return shapes.marked(grade, names.get(grade.student_id, NOBODY))


@router.get(
    "/exams/{exam_id}/results",
    operation_id="list_results",
    summary="Results of an exam",
    responses=failures("not_found"),
)
async def list_results(
    exam_id: Id,
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
) -> shapes.Results:
    """Every attempt, graded or not."""
    request = invigilation_pb2.ListAttemptsRequest(
        exam_id=str(exam_id), limit=page_limit(limit), cursor=cursor
    )
    found = await call(staff.invigilation.ListAttempts, request, timeout=READ_SECONDS, idempotent=True)
    grades = await _grades(staff, (attempt.student_exam_id for attempt in found.items))
    names = await people(staff, (attempt.student_id for attempt in found.items))
    return shapes.Results(
        items=[
            shapes.result(attempt, grades.get(attempt.student_exam_id), names.get(attempt.student_id, NOBODY))
            for attempt in found.items
        ],
        next_cursor=found.next_cursor or None,
    )


@router.get(
    "/attempts/{student_exam_id}/result",
    operation_id="get_full_result",
    summary="One attempt's result, with its items",
    responses=failures("not_found"),
)
async def get_full_result(student_exam_id: Id, staff: Staff) -> shapes.FullResult:
    request = invigilation_pb2.GetAttemptRequest(student_exam_id=str(student_exam_id))
    attempt = await call(staff.invigilation.GetAttempt, request, timeout=READ_SECONDS, idempotent=True)
    grades = await _grades(staff, [attempt.student_exam_id], with_items=True)
    names = await people(staff, [attempt.student_id])
    return shapes.full_result(
        attempt, grades.get(attempt.student_exam_id), names.get(attempt.student_id, NOBODY)
    )


@router.post(
    "/exams/{exam_id}/release",
    operation_id="release_results",
    summary="Let students see their results",
    responses=failures("not_found"),
)
async def release_results(exam_id: Id, staff: Staff) -> shapes.Released:
    """For exams whose result_policy is `manual`. Doing it again changes nothing."""
    request = marking_pb2.ReleaseResultsRequest(exam_id=str(exam_id))
    released = await call(staff.marking.ReleaseResults, request, timeout=WRITE_SECONDS, idempotent=True)
    return shapes.Released(released_at=when(released.released_at))


async def _grades(
    staff: StaffBackend, attempts: Iterable[str], *, with_items: bool = False
) -> dict[str, marking_pb2.FullResult]:
    wanted = list(attempts)
    if not wanted:
        return {}
    request = marking_pb2.BatchGetResultsRequest(student_exam_ids=wanted, with_items=with_items)
    found = await call(staff.marking.BatchGetResults, request, timeout=READ_SECONDS, idempotent=True)
    return {result.student_exam_id: result for result in found.items}
