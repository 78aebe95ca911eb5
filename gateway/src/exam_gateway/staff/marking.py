"""Marks: answers that wait for a marker, from grading, with names from auth."""

from __future__ import annotations

from typing import Annotated

from examkit.rpc.client import call
from examprotos.grading.v1 import marking_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit
from exam_gateway.staff import result_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff
from exam_gateway.staff.names import NOBODY, people
from exam_gateway.wire import hundredths, page_limit

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
