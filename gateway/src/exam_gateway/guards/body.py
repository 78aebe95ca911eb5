"""How large a body may be and how long it may take, by route; how many bytes this process holds at a time.

Judged by the declared length, and again while the body streams in.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from examkit.errors import AppError, rate_limited, too_large, unavailable
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exam_gateway import metrics, problems
from exam_gateway.guards.access import USER
from exam_gateway.guards.headers import raw_header
from exam_gateway.guards.limits import RateLimits

WHOLE = "examhall.whole"
"""Scope key: there, once all of the request is here and nobody can be waited for."""

KIB = 1024
MIB = 1024 * KIB

LIMITS = (
    ("/api/v1/student/save-answers", 16 * MIB),
    ("/api/v1/student/submit", 16 * MIB),
    ("/api/v1/student/files", 11 * MIB),
    ("/api/v1/student/", 512 * KIB),
    ("/api/v1/admin/files", 11 * MIB),
    ("/api/v1/admin/imports", 21 * MIB),
    ("/api/v1/client/", 256 * KIB),
    ("/api/v1/admin/", 4 * MIB),
)
"""The first prefix that fits. 200 answers of 64 KiB of text are 12.8 MiB."""
OTHERWISE = 16 * KIB

STALL_SECONDS = 10.0
"""Without a byte."""
BODY_SECONDS = 60.0
UPLOAD_SECONDS = 300.0
"""For 21 MiB, over a line of 600 kbit/s."""
UPLOADS = ("/api/v1/admin/imports", "/api/v1/admin/files", "/api/v1/student/files")

LARGE = 64 * KIB
"""From here on a body is read at its user's expense."""
LARGE_AT_ONCE = 2
"""Large bodies of one user that may be in flight."""
HELD = 256 * MIB
HELD_LARGE = 192 * MIB
"""Large bodies leave a part of HELD to small ones: however many come, or stall, a save still gets in."""


def limit_for(path: str) -> int:
    """Bytes."""
    for prefix, limit in LIMITS:
        if path.startswith(prefix):
            return limit
    return OTHERWISE


def seconds_for(path: str) -> float:
    """How long a body may take from the first wait for it on."""
    return UPLOAD_SECONDS if path.startswith(UPLOADS) else BODY_SECONDS


class BodyRefused(HTTPException):
    """Raised from `receive`, so that whoever reads the body passes it on."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass
class _Body:
    """One body on its way in. `payer`: who pays for it, once it is large.

    `until`: when all of it must be here, on the loop's clock, once it was waited for.
    """

    limit: int
    declared: int | None
    received: int = 0
    payer: Hashable = None
    until: float | None = None


class BodyLimit:
    """Bytes are held from when they come in until their request is answered."""

    def __init__(self, app: ASGIApp, limits: RateLimits) -> None:
        self._app = app
        self._limits = limits
        self._held = 0
        self._large: Counter[Hashable] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(limit_for(scope["path"]), _declared(scope))
        if body.declared is not None and body.declared > body.limit:
            await problems.from_app_error(too_large("The request is too large."))(scope, receive, send)
            return

        async def limited() -> Message:
            # What is here already costs no timer. Who reads on behind the end waits for the client to go.
            message = await (receive() if WHOLE in scope else _in_time(body, scope, receive))
            if message["type"] == "http.request":
                try:
                    self._take(body, len(message.get("body", b"")), scope.get(USER))
                except AppError as error:
                    raise BodyRefused(problems.from_app_error(error)) from None
            return message

        try:
            await self._app(scope, limited, send)
        finally:
            self._give_back(body)

    def _take(self, body: _Body, count: int, user: Hashable) -> None:
        """Raises too_large, unavailable, rate_limited."""
        body.received += count
        self._held += count
        metrics.body_bytes.set(self._held)
        if body.received > body.limit:
            raise too_large("The request is too large.")
        large = body.received > LARGE
        if self._held > (HELD_LARGE if large else HELD):
            metrics.bodies_refused.inc()
            raise unavailable("Too much is being sent at once. Try again.")
        if large and body.payer is None and user is not None:
            if self._large[user] >= LARGE_AT_ONCE:
                raise rate_limited("Send large requests one after the other.", 1.0)
            body.payer = user
            self._large[user] += 1
            # One that does not tell its length pays for the most it may have.
            self._limits.body(user, (body.declared or body.limit) // LARGE)

    def _give_back(self, body: _Body) -> None:
        self._held -= body.received
        metrics.body_bytes.set(self._held)
        if body.payer is not None:
            self._large[body.payer] -= 1
            if not self._large[body.payer]:
                del self._large[body.payer]


async def _in_time(body: _Body, scope: Scope, receive: Receive) -> Message:
    now = asyncio.get_running_loop().time()
    if body.until is None:
        body.until = now + seconds_for(scope["path"])
    try:
        async with asyncio.timeout_at(min(now + STALL_SECONDS, body.until)):
            return await receive()
    except TimeoutError:
        metrics.bodies_stalled.inc()
        detail = "The body of the request did not come in time."
        raise BodyRefused(problems.from_status(408, detail, {"connection": "close"})) from None


def _declared(scope: Scope) -> int | None:
    value = raw_header(scope, b"content-length")
    return int(value) if value is not None and value.isdigit() else None
