"""The outermost layer: request id, trace, metrics, log line, security headers, the last catch."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from functools import cache

import structlog
from examkit import telemetry
from examkit.rpc.context import request_id_var
from prometheus_client import Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exam_gateway import metrics, problems
from exam_gateway.guards.headers import raw_header

RECEIVED = "examhall.received"
"""Scope key: `time.monotonic()` of the moment the request came in."""
QUIET = "examhall.quiet"
"""Scope key: a success is not logged (what a class does at once)."""
ROUTE = "route"
"""Scope key: the template of the route, as FastAPI sets it."""
TRACED = "examhall.traced"
"""Scope key: whether its trace is recorded, where that was decided before."""

CSP = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

Headers = Sequence[tuple[bytes, bytes]]

log = structlog.get_logger("exam_gateway.http")


class Frame:
    """Wraps the whole application. `hsts`: tell browsers to come by HTTPS only."""

    def __init__(self, app: ASGIApp, *, hsts: bool) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", CSP),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]
        if hsts:
            self._headers.append((b"strict-transport-security", b"max-age=31536000; includeSubDomains"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            return
        exchange = self.exchange(scope)
        request_id_var.set(exchange.request_id)
        metrics.in_flight.inc()
        try:
            with telemetry.span(
                "HTTP", "server", parent=traced_by(scope), decided=scope.get(TRACED)
            ) as recorded:
                await self._serve(scope, receive, send, exchange)
                if recorded is not None:
                    recorded.update_name(f"{exchange.method} {exchange.route}")
                    recorded.set_attribute("http.response.status_code", exchange.status)
                exchange.tell(telemetry.exemplar(recorded))
        finally:
            metrics.in_flight.dec()

    def exchange(self, scope: Scope) -> Exchange:
        """For a request that has just come in."""
        # A connection that waited for the body has said when the head came.
        scope.setdefault(RECEIVED, time.monotonic())
        return Exchange(scope, self._headers)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, exchange: Exchange) -> None:
        async def framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = exchange.begun(message["status"], message.get("headers", ()))
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except ClientDisconnect:
            # It went away while it sent; nobody hears an answer.
            exchange.status = exchange.status or 499
        except Exception:
            log.exception("unexpected", route=exchange.route, method=exchange.method)
            if not exchange.status:
                await problems.unexpected()(scope, receive, framed)


class Template:
    """What the frame reads the name of a route from."""

    def __init__(self, path: str) -> None:
        self.path = path


class Exchange:
    """One request and its answer. `status` is 0 until that begins."""

    __slots__ = ("_headers", "_scope", "_seconds", "request_id", "status")

    def __init__(self, scope: Scope, headers: Headers) -> None:
        self._scope = scope
        self._headers = headers
        self._seconds = 0.0
        self.request_id = _request_id(raw_header(scope, b"x-request-id"))
        self.status = 0

    @property
    def method(self) -> str:
        method: str = self._scope["method"]
        return method if method in metrics.METHODS else "OTHER"

    @property
    def route(self) -> str:
        return getattr(self._scope.get(ROUTE), "path", None) or metrics.NO_ROUTE

    def begun(self, status: int, headers: Headers) -> list[tuple[bytes, bytes]]:
        """Takes down that the answer begins now; its headers, completed."""
        self.status = status
        self._seconds = time.monotonic() - self._scope[RECEIVED]
        # In lower case, as ASGI has them.
        present = {name for name, _ in headers}
        complete = [*headers, *(pair for pair in self._headers if pair[0] not in present)]
        complete.append((b"x-request-id", self.request_id.encode()))
        if b"cache-control" not in present and self._scope["path"].startswith("/api/"):
            complete.append((b"cache-control", b"no-store"))
        return complete

    def tell(self, exemplar: dict[str, str] | None = None) -> None:
        """The metric and the log line: templates and figures, never ids, tokens or bodies."""
        route, method, status = self.route, self.method, self.status
        _seconds_of(route, method, status).observe(self._seconds, exemplar)
        if status >= 400 or QUIET not in self._scope:
            ms = round(self._seconds * 1000, 1)
            log.info("http_request", route=route, method=method, status=status, ms=ms)


def traced_by(scope: Scope) -> telemetry.TraceContext | None:
    """The client's place in a trace of its own."""
    return telemetry.parse(raw_header(scope, b"traceparent"))


@cache
def _seconds_of(route: str, method: str, status: int) -> Histogram:
    """Looked up once: templates, methods and statuses are few."""
    return metrics.http_seconds.labels(route, method, str(status))


def _request_id(given: bytes | None) -> str:
    """The client's own id where it is harmless, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return f"{random.getrandbits(128):032x}"
