"""Starting and going on with an attempt."""

from __future__ import annotations

import msgspec
from examkit.rpc.client import call
from examprotos.exam.v1 import attempts_pb2

from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.limits import RateLimits
from exam_gateway.student import answers, convert
from exam_gateway.student.backend import READ_SECONDS, WRITE_SECONDS, StudentBackend
from exam_gateway.student.thin import Call, ThinRoute

START = "/api/v1/student/start"
RESUME = "/api/v1/student/resume"
_encode = msgspec.json.Encoder().encode


class Sitting:
    """Answers both with the whole attempt."""

    def __init__(self, limits: RateLimits, student: StudentBackend) -> None:
        self._limits = limits
        self._student = student

    async def start(self, request: Call) -> bytes:
        self._limits.user(request.principal.user_id)
        exam_id = request.id_in_path()
        self._limits.start(request.principal.user_id, exam_id)
        code = answers.read_start(request.scope, await request.body())
        wanted = attempts_pb2.StartRequest(exam_id=exam_id, access_code=code)
        return _encode(
            convert.attempt(await call(self._student.attempts.Start, wanted, timeout=WRITE_SECONDS))
        )

    async def resume(self, request: Call) -> bytes:
        self._limits.user(request.principal.user_id)
        wanted = attempts_pb2.ResumeRequest(exam_id=request.id_in_path())
        found = await call(self._student.attempts.Resume, wanted, timeout=READ_SECONDS, idempotent=True)
        return _encode(convert.attempt(found))


def routes(keeper: Gatekeeper, student: StudentBackend) -> dict[str, ThinRoute]:
    """By the path before the exam's id."""
    sitting = Sitting(keeper.limits, student)
    return {
        START: ThinRoute(keeper, "POST", f"{START}/{{exam_id}}", sitting.start, status=201),
        RESUME: ThinRoute(keeper, "GET", f"{RESUME}/{{exam_id}}", sitting.resume),
    }
