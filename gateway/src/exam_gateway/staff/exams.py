"""Building exams: settings, questions, roster, publishing, closing."""

from __future__ import annotations

from typing import Annotated

from examkit.errors import FieldError, invalid
from examkit.rpc.client import call
from examprotos.exam.v1 import authoring_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit, Short
from exam_gateway.staff import exam_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff
from exam_gateway.staff.names import people
from exam_gateway.wire import page_limit

PUBLISH_SECONDS = 30.0

router = APIRouter(prefix="/api/v1/admin/exams", tags=["exams"], route_class=StaffRoute)


@router.get("", operation_id="list_exams", summary="All exams")
async def list_exams(
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
    status: Annotated[shapes.Status | None, Query()] = None,
    q: Annotated[Short, Query(description="Part of the title.")] = "",
) -> shapes.Exams:
    """Without questions and roster, which a single exam has."""
    request = authoring_pb2.ListExamsRequest(limit=page_limit(limit), cursor=cursor, q=q)
    if status is not None:
        request.status = shapes.STATUSES[status]
    found = await call(staff.authoring.ListExams, request, timeout=READ_SECONDS, idempotent=True)
    return shapes.Exams(
        items=[shapes.exam_summary(exam) for exam in found.items], next_cursor=found.next_cursor or None
    )


@router.post("", operation_id="create_exam", summary="Make a draft", status_code=201)
async def create_exam(body: shapes.NewExam, staff: Staff) -> shapes.Exam:
    """The roster is all students unless said otherwise."""
    request = authoring_pb2.CreateExamRequest(settings=shapes.new_settings(body))
    return shapes.exam(await call(staff.authoring.CreateExam, request, timeout=WRITE_SECONDS))


@router.get("/{exam_id}", operation_id="get_exam", summary="An exam", responses=failures("not_found"))
async def get_exam(exam_id: Id, staff: Staff) -> shapes.Exam:
    request = authoring_pb2.GetExamRequest(id=str(exam_id))
    return shapes.exam(await call(staff.authoring.GetExam, request, timeout=READ_SECONDS, idempotent=True))


@router.patch(
    "/{exam_id}",
    operation_id="update_exam",
    summary="Change settings",
    responses=failures("not_found", "published"),
)
async def update_exam(exam_id: Id, body: shapes.ExamPatch, staff: Staff) -> shapes.Exam:
    """A published exam takes changes to title, texts, windows and policies."""
    settings, mask = shapes.changed_settings(body)
    if not mask.paths:
        raise invalid("Nothing to change.", FieldError(("body",), "must name at least one field"))
    request = authoring_pb2.UpdateExamRequest(id=str(exam_id), settings=settings, mask=mask)
    return shapes.exam(await call(staff.authoring.UpdateExam, request, timeout=WRITE_SECONDS))


@router.delete(
    "/{exam_id}",
    operation_id="delete_exam",
    summary="Delete a draft",
    status_code=204,
    responses=failures("not_found", "published"),
)
async def delete_exam(exam_id: Id, staff: Staff) -> None:
    request = authoring_pb2.DeleteExamRequest(id=str(exam_id))
    await call(staff.authoring.DeleteExam, request, timeout=WRITE_SECONDS)


@router.put(
    "/{exam_id}/questions",
    operation_id="set_exam_questions",
    summary="Choose the questions",
    responses=failures("not_found", "published"),
)
async def set_exam_questions(exam_id: Id, body: shapes.ExamQuestionsIn, staff: Staff) -> shapes.Exam:
    """In this order. Replaces what was chosen before."""
    request = authoring_pb2.SetExamQuestionsRequest(id=str(exam_id), questions=shapes.exam_questions(body))
    return shapes.exam(await call(staff.authoring.SetExamQuestions, request, timeout=WRITE_SECONDS))


@router.put(
    "/{exam_id}/roster",
    operation_id="set_roster",
    summary="Say who may sit it",
    responses=failures("not_found"),
)
async def set_roster(exam_id: Id, body: shapes.RosterIn, staff: Staff) -> shapes.Exam:
    request = authoring_pb2.SetRosterRequest(id=str(exam_id), roster=shapes.roster(body))
    return shapes.exam(await call(staff.authoring.SetRoster, request, timeout=WRITE_SECONDS))


@router.post(
    "/{exam_id}/publish",
    operation_id="publish_exam",
    summary="Publish",
    responses=failures("not_found", "not_publishable"),
)
async def publish_exam(exam_id: Id, staff: Staff) -> shapes.PublishedExam:
    """Freezes the paper. Publishing it again changes nothing. `warnings` tells whose window is too short."""
    request = authoring_pb2.PublishExamRequest(id=str(exam_id))
    published = await call(staff.authoring.PublishExam, request, timeout=PUBLISH_SECONDS, idempotent=True)
    names = await people(staff, (one.student_id for one in published.warnings))
    return shapes.published(published, names)


@router.post(
    "/{exam_id}/close",
    operation_id="close_exam",
    summary="Stop new starts",
    responses=failures("not_found", "not_published"),
)
async def close_exam(exam_id: Id, staff: Staff) -> shapes.Exam:
    """Attempts in progress run on."""
    request = authoring_pb2.CloseExamRequest(id=str(exam_id))
    closed = await call(staff.authoring.CloseExam, request, timeout=WRITE_SECONDS, idempotent=True)
    return shapes.exam(closed)


@router.post(
    "/{exam_id}/clone",
    operation_id="clone_exam",
    summary="Make a draft after an exam",
    status_code=201,
    responses=failures("not_found"),
)
async def clone_exam(exam_id: Id, staff: Staff) -> shapes.Exam:
    """With its settings, questions and roster. Not with its access code, nor with anything that happened.

    Publishing tells of questions that have left the bank since, and of a window that has passed.
    """
    request = authoring_pb2.CloneExamRequest(id=str(exam_id))
    return shapes.exam(await call(staff.authoring.CloneExam, request, timeout=WRITE_SECONDS))
