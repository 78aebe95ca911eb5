"""The outermost layer: request id, trace, metrics, log line, security headers, the last catch."""

from __future__ import annotations

import random
import re
import time
from collections.abc import MutableMapping
from functools import cache
from typing import Any

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

CSP = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

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
        scope[RECEIVED] = time.monotonic()
        request_id = _request_id(raw_header(scope, b"x-request-id"))
        request_id_var.set(request_id)
        exchange = _Exchange(scope, send, self._headers, request_id.encode())
        metrics.in_flight.inc()
        try:
            with telemetry.span(
                "HTTP", "server", parent=telemetry.parse(raw_header(scope, b"traceparent"))
            ) as recorded:
                await self._serve(scope, receive, exchange)
                if recorded is not None:
                    recorded.update_name(f"{exchange.method} {exchange.route}")
                    recorded.set_attribute("http.response.status_code", exchange.status)
                exchange.tell()
        finally:
            metrics.in_flight.dec()

    async def _serve(self, scope: Scope, receive: Receive, exchange: _Exchange) -> None:
        try:
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            # It went away while it sent; nobody hears an answer.
            exchange.status = exchange.status or 499
        except Exception:
            log.exception("unexpected", route=exchange.route, method=exchange.method)
            if not exchange.status:
                await problems.from_status(500, "Something went wrong on our side.")(
                    scope, receive, exchange.send
                )


class _Exchange:
    """One request and its answer."""

    __slots__ = ("_headers", "_request_id", "_scope", "_seconds", "_send", "status")

    def __init__(
        self, scope: Scope, send: Send, headers: list[tuple[bytes, bytes]], request_id: bytes
    ) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self._request_id = request_id
        self._seconds = 0.0
        self.status = 0

    @property
    def method(self) -> str:
        method: str = self._scope["method"]
        return method if method in metrics.METHODS else "OTHER"

    @property
    def route(self) -> str:
        return getattr(self._scope.get("route"), "path", None) or metrics.NO_ROUTE

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._seconds = time.monotonic() - self._scope[RECEIVED]
            self._complete(message)
        await self._send(message)

    def _complete(self, message: MutableMapping[str, Any]) -> None:
        headers = list(message.get("headers", ()))
        # In lower case, as ASGI has them.
        present = {name for name, _ in headers}
        headers += [pair for pair in self._headers if pair[0] not in present]
        headers.append((b"x-request-id", self._request_id))
        if b"cache-control" not in present and self._scope["path"].startswith("/api/"):
            headers.append((b"cache-control", b"no-store"))
        message["headers"] = headers

    def tell(self) -> None:
        """The metric and the log line: templates and figures, never ids, tokens or bodies."""
        route, method, status = self.route, self.method, self.status
        _seconds_of(route, method, status).observe(self._seconds)
        if status >= 400 or QUIET not in self._scope:
            ms = round(self._seconds * 1000, 1)
            log.info("http_request", route=route, method=method, status=status, ms=ms)


@cache
def _seconds_of(route: str, method: str, status: int) -> Histogram:
    """Looked up once: templates, methods and statuses are few."""
    return metrics.http_seconds.labels(route, method, str(status))


def _request_id(given: bytes | None) -> str:
    """The client's own id where it is harmless, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return f"{random.getrandbits(128):032x}"
