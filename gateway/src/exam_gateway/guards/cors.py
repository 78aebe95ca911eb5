"""Which web pages may call: the named origins, with cookies."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exam_gateway import problems
from exam_gateway.guards.headers import raw_header

_METHODS = b"GET, POST, PUT, PATCH, DELETE"
_HEADERS = b"authorization, content-type, traceparent, x-request-id"
_EXPOSED = b"retry-after, x-request-id"
_PREFLIGHT_SECONDS = b"600"


class Cors:
    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = raw_header(scope, b"origin")
        if origin is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and raw_header(scope, b"access-control-request-method") is not None:
            await _preflight(origin in self._origins, origin)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.headers(scope)]
            await send(message)

        await self._app(scope, receive, told)

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """What an answer to this request tells of who may read it."""
        origin = raw_header(scope, b"origin")
        if origin is None:
            return []
        vary = (b"vary", b"Origin")
        if origin not in self._origins:
            return [vary]
        return [vary, *_granted(origin), (b"access-control-expose-headers", _EXPOSED)]


def _preflight(allowed: bool, origin: bytes) -> Response:
    if not allowed:
        return problems.from_status(403, "This origin is not allowed.", {"vary": "Origin"})
    response = Response(status_code=204)
    response.raw_headers += [
        *_granted(origin),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _HEADERS),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
        (b"vary", b"Origin"),
    ]
    return response


def _granted(origin: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin), (b"access-control-allow-credentials", b"true")]
