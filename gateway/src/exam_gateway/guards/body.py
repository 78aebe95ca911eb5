"""How large a body may be, by route: judged by its declared length, and again while it streams in."""

from __future__ import annotations

from examkit.errors import too_large
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exam_gateway import problems

KIB = 1024
MIB = 1024 * KIB

LIMITS = (
    ("/api/v1/student/save-answers", 16 * MIB),
    ("/api/v1/student/submit", 16 * MIB),
    ("/api/v1/student/", 512 * KIB),
    ("/api/v1/admin/imports", 21 * MIB),
    ("/api/v1/admin/", 4 * MIB),
)
"""The first prefix that fits."""
OTHERWISE = 16 * KIB


def limit_for(path: str) -> int:
    """Bytes."""
    for prefix, limit in LIMITS:
        if path.startswith(prefix):
            return limit
    return OTHERWISE


class BodyTooLarge(HTTPException):
    """Raised from `receive`, so that whoever reads the body passes it on."""

    def __init__(self) -> None:
        super().__init__(413, "The request is too large.")


class BodyLimit:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = limit_for(scope["path"])
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        if declared is not None and declared.isdigit() and int(declared) > limit:
            await problems.from_app_error(too_large("The request is too large."))(scope, receive, send)
            return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise BodyTooLarge
            return message

        await self._app(scope, limited, send)
