"""Marks: answers that wait for a marker, claims and marks, from grading, with names from auth."""

from __future__ import annotations

from typing import Annotated

from examkit.rpc.client import call
from examprotos.grading.v1 import marking_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit
from exam_gateway.staff import result_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import NOBODY, people
from exam_gateway.wire import page_limit

MANY_SECONDS = 45.0
Anonymous = Annotated[bool, Query(description="Without the students' names and addresses.")]

router = APIRouter(prefix="/api/v1/admin/grading", tags=["marks and results"], route_class=StaffRoute)


@router.get("/queue", operation_id="grading_queue", summary="Answers that wait for a marker")
async def grading_queue(
    staff: Staff,
    exam_id: Annotated[Id | None, Query()] = None,
    question_id: Annotated[Id | None, Query()] = None,
    group_by: Annotated[shapes.GroupBy, Query(description="What is marked in one go.")] = "student",
    free: Annotated[bool, Query(description="Without those that another marker holds.")] = False,
    anonymous: Anonymous = False,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
) -> shapes.Queue:
    """Oldest first, by student or by question. `cursor` goes with the `group_by` that gave it."""
    request = marking_pb2.ListQueueRequest(
        exam_id=str(exam_id or ""),
        question_id=str(question_id or ""),
        group_by=group_by,
        free=free,
        limit=page_limit(limit),
        cursor=cursor,
    )
    found = await call(staff.marking.ListQueue, request, timeout=READ_SECONDS, idempotent=True)
    return await _named(staff, found, anonymous=anonymous)


@router.post("/claims", operation_id="claim_next_answers", summary="Take the next answers to mark")
async def claim_next_answers(
    body: shapes.NextAnswers, staff: Staff, anonymous: Anonymous = False
) -> shapes.Queue:
    """The next that nobody else holds are yours for 15 minutes; those you hold already are among them."""
    request = marking_pb2.ListQueueRequest(
        exam_id=str(body.exam_id or ""),
        question_id=str(body.question_id or ""),
        group_by=body.group_by,
        limit=body.limit,
    )
    found = await call(staff.marking.ClaimNext, request, timeout=WRITE_SECONDS)
    return await _named(staff, found, anonymous=anonymous)


@router.post(
    "/{student_exam_id}/{question_id}/claim",
    operation_id="claim_answer",
    summary="Take an answer to mark",
    responses=failures("not_found", "claimed"),
)
async def claim_answer(student_exam_id: Id, question_id: Id, staff: Staff) -> shapes.Claim:
    """Yours for 15 minutes from now; others' marks are refused meanwhile. A mark ends it."""
    request = _answer(student_exam_id, question_id)
    return shapes.claim(
        await call(staff.marking.ClaimAnswer, request, timeout=WRITE_SECONDS, idempotent=True)
    )


@router.delete(
    "/{student_exam_id}/{question_id}/claim",
    operation_id="release_answer",
    summary="Give an answer back",
    status_code=204,
    responses=failures("not_found"),
)
async def release_answer(student_exam_id: Id, question_id: Id, staff: Staff) -> None:
    """What another holds stays as it is."""
    request = _answer(student_exam_id, question_id)
    await call(staff.marking.ReleaseAnswer, request, timeout=WRITE_SECONDS, idempotent=True)


@router.put("/bulk", operation_id="put_marks", summary="Mark many answers")
async def put_marks(body: shapes.Marks, staff: Staff) -> shapes.MarkedMany:
    """Each for itself: one that is refused costs no other. At most 200."""
    marks = [shapes.mark_request(one.student_exam_id, one.question_id, one) for one in body.marks]
    # Sent once: each mark is a row of its history.
    found = await call(staff.marking.PutMarks, marking_pb2.PutMarksRequest(marks=marks), timeout=MANY_SECONDS)
    return shapes.marked_many(body.marks, found)


@router.put(
    "/{student_exam_id}/{question_id}",
    operation_id="put_mark",
    summary="Mark an answer",
    responses=failures("not_found", "not_markable", "stale_version", "claimed"),
)
async def put_mark(
    student_exam_id: Id, question_id: Id, body: shapes.Mark, staff: Staff, anonymous: Anonymous = False
) -> shapes.FullResult:
    """Sets or replaces a manual mark; 422 above the maximum."""
    # Sent once: each mark is a row of its history.
    request = shapes.mark_request(student_exam_id, question_id, body)
    grade = await call(staff.marking.PutMark, request, timeout=WRITE_SECONDS)
    names = {} if anonymous else await people(staff, [grade.student_id])
    return shapes.marked(grade, names.get(grade.student_id, NOBODY))


def _answer(student_exam_id: Id, question_id: Id) -> marking_pb2.AnswerRequest:
    return marking_pb2.AnswerRequest(student_exam_id=str(student_exam_id), question_id=str(question_id))


async def _named(
    staff: StaffBackend, found: marking_pb2.ListQueueResponse, *, anonymous: bool
) -> shapes.Queue:
    wanted = [item.claim.marker_id for item in found.items]
    if not anonymous:
        wanted += [item.student_id for item in found.items]
    return shapes.queue(found, await people(staff, wanted), anonymous=anonymous)
