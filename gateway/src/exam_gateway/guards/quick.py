"""The short way for what a class does all the time: no task, no layers, no messages for each request.

It takes requests that are here whole, of people who were here before. All others, and those whose trace is
recorded, go the way of the application, which judges them by the same rules.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import structlog
from examkit import telemetry
from examkit.errors import AppError
from examkit.rpc.context import request_id_var
from starlette.types import Scope

from exam_gateway import metrics, problems
from exam_gateway.guards.body import LARGE
from exam_gateway.guards.cors import Cors
from exam_gateway.guards.frame import QUIET, ROUTE, TRACED, Exchange, Frame, Headers, Template, traced_by

Reply = Callable[[int, Headers, bytes], None]
"""Called once, with the status, the headers and the body of the answer."""
Begun = tuple["asyncio.Future[Any]", Callable[[Any], bytes]]
"""What is waited for, and what makes JSON of it, or raises AppError."""

log = structlog.get_logger("exam_gateway.http")


class QuickRoute(Protocol):
    """For POST, answered with 200 and JSON."""

    def begin(self, scope: Scope, body: bytes) -> Begun | None:
        """None: it is for the application to serve. Raises AppError."""


class Quick:
    """`routes` by exact path, each served by `app` as well."""

    def __init__(self, frame: Frame, cors: Cors, routes: Mapping[str, QuickRoute]) -> None:
        self._frame = frame
        self._cors = cors
        self._routes = {path: (Template(path), route) for path, route in routes.items()}

    def knows(self, scope: Scope) -> bool:
        return scope["path"] in self._routes and scope["method"] == "POST"

    def take(self, scope: Scope, body: bytes, reply: Reply) -> bool:
        """Whether it takes this request, whose body that is: then it will reply, or has done so."""
        recorded = scope[TRACED] = telemetry.is_recorded(traced_by(scope))
        if recorded or len(body) > LARGE:
            return False
        exchange = self._frame.exchange(scope)
        template, route = self._routes[scope["path"]]
        try:
            begun = route.begin(scope, body)
        except Exception as error:
            begun = _failed(error)
        if begun is None:
            return False
        scope[ROUTE], scope[QUIET] = template, True
        metrics.in_flight.inc()
        coming, finish = begun
        coming.add_done_callback(partial(self._end, scope, exchange, finish, reply))
        return True

    def _end(
        self,
        scope: Scope,
        exchange: Exchange,
        finish: Callable[[Any], bytes],
        reply: Reply,
        coming: asyncio.Future[Any],
    ) -> None:
        try:
            content = finish(coming.result())
        except Exception as error:
            # In a context of its own: this callback's may be any request's.
            contextvars.Context().run(self._fail, scope, exchange, reply, error)
        else:
            length = str(len(content)).encode()
            headers = ((b"content-type", b"application/json"), (b"content-length", length))
            self._answer(scope, exchange, reply, 200, headers, content)

    def _fail(self, scope: Scope, exchange: Exchange, reply: Reply, error: Exception) -> None:
        request_id_var.set(exchange.request_id)
        with telemetry.span("HTTP", "server", parent=traced_by(scope), decided=False):
            if isinstance(error, AppError):
                response = problems.from_app_error(error)
            else:
                log.error("unexpected", route=exchange.route, method=exchange.method, exc_info=error)
                response = problems.unexpected()
            body = bytes(response.body)
            self._answer(scope, exchange, reply, response.status_code, response.raw_headers, body)

    def _answer(
        self,
        scope: Scope,
        exchange: Exchange,
        reply: Reply,
        status: int,
        headers: Headers,
        content: bytes,
    ) -> None:
        metrics.in_flight.dec()
        try:
            reply(status, exchange.begun(status, (*headers, *self._cors.headers(scope))), content)
        finally:
            exchange.tell()


def _failed(error: Exception) -> Begun:
    coming: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    coming.set_exception(error)
    return coming, bytes
