"""Regrades: decided in grading; exam says which exams there are, and what the bank holds now."""

from __future__ import annotations

from typing import Annotated

import structlog
from examkit.errors import AppError, conflict
from examkit.rpc.client import call
from examprotos.exam.v1 import authoring_pb2, exams_pb2, questions_pb2
from examprotos.grading.v1 import keys_pb2, regrading_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Id
from exam_gateway.staff import regrade_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import people

REGRADE_SECONDS = 60.0
_PUBLISHED = (exams_pb2.EXAM_STATUS_PUBLISHED, exams_pb2.EXAM_STATUS_CLOSED)

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/v1/admin/exams", tags=["marks and results"], route_class=StaffRoute)


@router.post(
    "/{exam_id}/regrade",
    operation_id="regrade",
    summary="Decide anew about a question",
    responses=failures("not_found", "not_published"),
)
async def regrade(
    exam_id: Id,
    body: shapes.RegradeIn,
    staff: Staff,
    dry_run: Annotated[
        bool, Query(description="Tell the difference for each student; change nothing.")
    ] = False,
) -> shapes.RegradeReport:
    """Another key, full marks for everyone, or a question that does not count. It holds for attempts that
    are graded later too; earlier scores stay on record, and it can be rolled back. What stands already is
    not decided again."""
    await _must_be_published(staff, exam_id)
    # Sent once: each decision is a row of its history.
    method = staff.regrading.PreviewRegrade if dry_run else staff.regrading.Regrade
    return await _report(staff, await call(method, shapes.request(exam_id, body), timeout=REGRADE_SECONDS))


@router.get(
    "/{exam_id}/regrades",
    operation_id="list_regrades",
    summary="What was decided anew",
    responses=failures("not_found"),
)
async def list_regrades(exam_id: Id, staff: Staff) -> shapes.Regrades:
    """The newest first, all on one page."""
    await _exam(staff, exam_id)
    request = regrading_pb2.ListRegradesRequest(exam_id=str(exam_id))
    found = await call(staff.regrading.ListRegrades, request, timeout=READ_SECONDS, idempotent=True)
    names = await people(staff, (one.actor_id for one in found.items))
    return shapes.Regrades(items=[shapes.regrade(one, names) for one in found.items], next_cursor=None)


@router.get(
    "/{exam_id}/regrades/{regrade_id}",
    operation_id="get_regrade",
    summary="One regrade, with what it changed",
    responses=failures("not_found"),
)
async def get_regrade(exam_id: Id, regrade_id: Id, staff: Staff) -> shapes.RegradeReport:
    request = regrading_pb2.GetRegradeRequest(exam_id=str(exam_id), regrade_id=str(regrade_id))
    return await _report(
        staff, await call(staff.regrading.GetRegrade, request, timeout=READ_SECONDS, idempotent=True)
    )


@router.post(
    "/{exam_id}/regrades/{regrade_id}/rollback",
    operation_id="roll_back_regrade",
    summary="Take a regrade back",
    responses=failures("not_found", "already_rolled_back", "not_a_regrade"),
)
async def roll_back_regrade(
    exam_id: Id, regrade_id: Id, body: shapes.RollbackIn, staff: Staff
) -> shapes.RegradeReport:
    """What counted before it counts again; both stay on record."""
    request = regrading_pb2.RollBackRequest(
        exam_id=str(exam_id), regrade_id=str(regrade_id), reason=body.reason
    )
    await _exam(staff, exam_id)
    return await _report(staff, await call(staff.regrading.RollBack, request, timeout=REGRADE_SECONDS))


async def _exam(staff: StaffBackend, exam_id: Id) -> exams_pb2.Exam:
    """Raises not_found."""
    request = authoring_pb2.GetExamRequest(id=str(exam_id))
    return await call(staff.authoring.GetExam, request, timeout=READ_SECONDS, idempotent=True)


async def _must_be_published(staff: StaffBackend, exam_id: Id) -> None:
    """Grading may hold the paper of a publishing that went no further; exam alone knows."""
    exam = await _exam(staff, exam_id)
    if exam.status not in _PUBLISHED:
        raise conflict("not_published", "This exam is not published: edit its questions instead.")


async def _report(staff: StaffBackend, found: regrading_pb2.RegradeReport) -> shapes.RegradeReport:
    wanted = [found.regrade.actor_id, *(one.student_id for one in found.items)]
    bank = await _bank(staff, found.regrade.question_id) if found.regrade.policy == "rekey" else None
    return shapes.report(found, await people(staff, wanted), bank)


async def _bank(
    staff: StaffBackend, question_id: str
) -> tuple[questions_pb2.Question, keys_pb2.AnswerKey] | None:
    """What the bank holds of the question now: a regrade is told of without it too."""
    request = authoring_pb2.GetQuestionRequest(id=question_id)
    try:
        question = await call(staff.authoring.GetQuestion, request, timeout=READ_SECONDS, idempotent=True)
        wanted = keys_pb2.GetKeysRequest(version_ids=[question.version_id])
        keys = await call(staff.keys.GetKeys, wanted, timeout=READ_SECONDS, idempotent=True)
    except AppError as error:
        log.info("bank_not_asked", code=error.code)
        return None
    return (question, keys.items[0].key) if keys.items else None
