"""Statistics of an exam, from grading."""

from __future__ import annotations

from examkit.rpc.client import call
from examprotos.exam.v1 import authoring_pb2
from examprotos.grading.v1 import statistics_pb2
from fastapi import APIRouter

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Id
from exam_gateway.staff import statistics_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, Staff

RECKONING_SECONDS = 30.0

router = APIRouter(prefix="/api/v1/admin/exams", tags=["marks and results"], route_class=StaffRoute)


@router.get(
    "/{exam_id}/statistics",
    operation_id="exam_statistics",
    summary="How an exam and its questions did",
    responses=failures("not_found"),
)
async def exam_statistics(exam_id: Id, staff: Staff) -> shapes.ExamStatistics:
    """By question difficulty, discrimination, what was chosen; of the whole distribution and consistency."""
    # Grading does not know which exams there are; one that nobody sat has figures too.
    exam = authoring_pb2.GetExamRequest(id=str(exam_id))
    await call(staff.authoring.GetExam, exam, timeout=READ_SECONDS, idempotent=True)
    request = statistics_pb2.GetStatisticsRequest(exam_id=str(exam_id))
    found = await call(staff.statistics.GetStatistics, request, timeout=RECKONING_SECONDS, idempotent=True)
    return shapes.statistics(exam_id, found)
