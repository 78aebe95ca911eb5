"""Submitting: exam closes the attempt for good, then grading has two seconds to tell the grade."""

from __future__ import annotations

import time

import msgspec
import structlog
from examkit.errors import AppError
from examkit.rpc.client import call
from examprotos.exam.v1 import attempts_pb2
from examprotos.grading.v1 import results_pb2

from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.limits import RateLimits
from exam_gateway.student import answers, convert
from exam_gateway.student.backend import StudentBackend
from exam_gateway.student.thin import Call, ThinRoute

CLOSE_SECONDS = 15.0
GRADE_SECONDS = 2.0
MAX_ELAPSED_MS = 60_000

log = structlog.get_logger(__name__)

SUBMIT = "/api/v1/student/submit"
_encode = msgspec.json.Encoder().encode


class Submitting:
    """Answers a submit: what was closed, and its grade if there is one in time."""

    def __init__(self, limits: RateLimits, student: StudentBackend) -> None:
        self._limits = limits
        self._student = student

    async def submit(self, request: Call) -> bytes:
        """The attempt is named in the body."""
        return await self._submit(request, None)

    async def submit_by_id(self, request: Call) -> bytes:
        """The attempt is named in the path; the body may be left out."""
        return await self._submit(request, request.id_in_path())

    async def _submit(self, request: Call, from_path: str | None) -> bytes:
        self._limits.user(request.principal.user_id)
        answers.check_json(request.scope)
        student = self._student
        given = await student.reader.read(answers.read_submit, await request.body(), from_path)
        closed = await call(
            student.attempts.Submit,
            attempts_pb2.SubmitRequest(
                student_exam_id=given.student_exam_id,
                answers=given.good,
                elapsed_ms=min(MAX_ELAPSED_MS, int((time.monotonic() - request.received) * 1000)),
            ),
            timeout=CLOSE_SECONDS,
            # Closing twice gives the same answer, and the same revision twice is a repeat.
            idempotent=answers.have_revisions(given.good),
        )
        refused = [
            {"question_id": answer.question_id, "code": answer.code, "detail": answer.detail}
            for answer in given.refused
        ]
        return _encode(convert.submitted(closed, refused, await _grade(closed, student)))


def routes(keeper: Gatekeeper, student: StudentBackend) -> tuple[ThinRoute, ThinRoute]:
    """For the path, and for the path with the attempt's id behind it."""
    submitting = Submitting(keeper.limits, student)
    return (
        ThinRoute(keeper, "POST", SUBMIT, submitting.submit),
        ThinRoute(keeper, "POST", f"{SUBMIT}/{{student_exam_id}}", submitting.submit_by_id),
    )


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
