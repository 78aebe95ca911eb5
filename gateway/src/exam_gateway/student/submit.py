"""Submitting: exam closes the attempt for good, then grading has two seconds to tell the grade."""

from __future__ import annotations

import time
from typing import Any

import structlog
from examkit.errors import AppError
from examkit.rpc.client import call
from examprotos.exam.v1 import attempts_pb2
from examprotos.grading.v1 import results_pb2
from fastapi import APIRouter, Request, Response

from exam_gateway.describe import failures
from exam_gateway.guards.frame import RECEIVED
from exam_gateway.guards.routes import StudentRoute
from exam_gateway.shapes import Id
from exam_gateway.student import answers, convert, shapes
from exam_gateway.student.backend import Student, StudentBackend
from exam_gateway.wire import answered

CLOSE_SECONDS = 15.0
GRADE_SECONDS = 2.0
MAX_ELAPSED_MS = 60_000

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/v1/student", tags=["taking an exam"], route_class=StudentRoute)
_FAILURES = failures("not_found", "attempt_void", "attempt_paused", "too_large", "unsupported", "invalid")


def _body(model: str, *, required: bool) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "/submit",
    operation_id="submit",
    summary="Submit an attempt",
    response_model=shapes.Submitted,
    responses=_FAILURES,
    openapi_extra=_body("Submit", required=True),
)
async def submit(request: Request, student: Student) -> Response:
    """The answers sent along are saved in the transaction that closes the attempt. Repeatable."""
    return await _submit(None, request, student)


@router.post(
    "/submit/{student_exam_id}",
    operation_id="submit_by_id",
    summary="Submit an attempt",
    response_model=shapes.Submitted,
    responses=_FAILURES,
    openapi_extra=_body("SubmitAnswers", required=False),
)
async def submit_by_id(student_exam_id: Id, request: Request, student: Student) -> Response:
    """The same, with the attempt in the path; the body may be left out."""
    return await _submit(str(student_exam_id), request, student)


async def _submit(from_path: str | None, request: Request, student: StudentBackend) -> Response:
    answers.check_json(request.scope)
    given = await student.reader.read(answers.read_submit, await request.body(), from_path)
    closed = await call(
        student.attempts.Submit,
        attempts_pb2.SubmitRequest(
            student_exam_id=given.student_exam_id,
            answers=given.good,
            elapsed_ms=min(MAX_ELAPSED_MS, int((time.monotonic() - request.scope[RECEIVED]) * 1000)),
        ),
        timeout=CLOSE_SECONDS,
        # Closing twice gives the same answer, and the same revision twice is a repeat.
        idempotent=all(answer.HasField("revision") for answer in given.good),
    )
    refused = [
        {"question_id": answer.question_id, "code": answer.code, "detail": answer.detail}
        for answer in given.refused
    ]
    return answered(convert.submitted(closed, refused, await _grade(closed, student)))


async def _grade(
    closed: attempts_pb2.SubmitResponse, student: StudentBackend
) -> results_pb2.StudentResult | None:
    """The grade of this very version of the attempt; None while there is none, or grading is away."""
    request = results_pb2.AwaitRequest(
        student_exam_id=closed.student_exam_id,
        attempt_version=closed.attempt_version,
        timeout_ms=int(GRADE_SECONDS * 1000),
    )
    try:
        result = await call(student.results.Await, request, timeout=GRADE_SECONDS + 0.5)
    except AppError as error:
        log.info("grade_not_awaited", code=error.code)
        return None
    # Before the grade there is nothing but `grading = pending` in it.
    return result if result.exam_id else None
