"""What stands before every servicer: who calls, for whom, and what a failure looks like outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from inspect import isasyncgenfunction
from typing import Any, Protocol, TypeAlias

import grpc
import structlog

from examkit import telemetry
from examkit.errors import AppError, Kind, forbidden, internal, unauthenticated
from examkit.principal import Principal
from examkit.rpc.context import (
    caller_var,
    current_token,
    deadline_var,
    principal_var,
    request_id_var,
    request_var,
)
from examkit.rpc.metrics import served, split_method
from examkit.rpc.policy import OPEN_TO_EVERY_PEER, Allow, Policies, rule_for
from examkit.rpc.trailers import ERROR_TRAILER, encode
from examkit.tls import peer_identity

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

MAX_REQUEST_ID_CHARACTERS = 128
_BEARER = "bearer "
_OUR_FAULT = {Kind.INTERNAL, Kind.UNAVAILABLE}

log = structlog.get_logger(__name__)


class Verifier(Protocol):
    """Tells who a token speaks for; `TokenVerifier` is the real one."""

    async def verify(self, token: str) -> Principal: ...


class GuardInterceptor(grpc.aio.ServerInterceptor):
    """Allowlist (refusing by default), user token, call context, errors, metrics, span; of every handler."""

    def __init__(self, policies: Policies, verifier: Verifier) -> None:
        self._policies = policies
        self._verifier = verifier
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        method = handler_call_details.method
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(self, method: str, handler: Handler) -> Handler:
        service, _ = split_method(method)
        rule = None if service in OPEN_TO_EVERY_PEER else rule_for(self._policies, method)
        gate = _Gate(method, rule, self._verifier)
        kind = ("stream" if handler.request_streaming else "unary") + (
            "_stream" if handler.response_streaming else "_unary"
        )
        behaviour = getattr(handler, kind)
        guarded = gate.streaming(behaviour) if handler.response_streaming else gate.single(behaviour)
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        made: Handler = make(guarded, handler.request_deserializer, handler.response_serializer)
        return made


class _Gate:
    """What guards one method."""

    def __init__(self, method: str, rule: Allow | None, verifier: Verifier) -> None:
        self._service, self._method = split_method(method)
        self._name = method.removeprefix("/")
        self._rule = rule
        self._open = self._service in OPEN_TO_EVERY_PEER
        self._verifier = verifier

    def single(self, behaviour: Callable[[Any, Context], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def guarded(request: Any, context: Context) -> Any:
            request_var.set(request)
            return await self._serve(context, lambda: behaviour(request, context))

        return guarded

    def streaming(self, behaviour: Callable[[Any, Context], Any]) -> Callable[..., Awaitable[None]]:
        # Written by us, not yielded: so the servicer's generator always ends within the call's own task.
        async def send_all(request: Any, context: Context) -> None:
            async with aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    await context.write(response)

        work = send_all if isasyncgenfunction(behaviour) else behaviour

        async def guarded(request: Any, context: Context) -> None:
            await self._serve(context, lambda: work(request, context))

        return guarded

    async def _serve(self, context: Context, work: Callable[[], Awaitable[Any]]) -> Any:
        started = time.perf_counter()
        metadata = {
            key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
        }
        code = "OK"
        recorded = None
        try:
            with telemetry.span(
                self._name, "server", parent=telemetry.parse(metadata.get("traceparent"))
            ) as recorded:
                try:
                    await self._admit(context, metadata)
                    return await work()
                except AppError as error:
                    failure = error
                except grpc.aio.AbortError:
                    code = context.code().name
                    raise
                except asyncio.CancelledError:
                    code = "CANCELLED"
                    raise
                except Exception:
                    log.exception("rpc_failed", rpc=self._name)
                    failure = internal()
                code = failure.kind.grpc_code.name
                ms = round((time.perf_counter() - started) * 1000, 1)
                log.info("rpc", rpc=self._name, code=code, ms=ms)
                if recorded is not None and failure.kind in _OUR_FAULT:
                    recorded.set_status(telemetry.ERROR, failure.code)
            await context.abort(
                failure.kind.grpc_code, failure.detail, trailing_metadata=((ERROR_TRAILER, encode(failure)),)
            )
        finally:
            seconds = time.perf_counter() - started
            served(self._service, self._method, code).observe(seconds, telemetry.exemplar(recorded))

    async def _admit(self, context: Context, metadata: Mapping[str, str]) -> None:
        """Lets the call in and sets what `rpc.context` tells about it. Raises unauthenticated, forbidden."""
        remaining = context.time_remaining()
        deadline_var.set(None if remaining is None else time.monotonic() + remaining)
        request_id_var.set(_request_id(metadata))
        principal_var.set(None)
        current_token.set(None)
        caller = peer_identity(context.auth_context())
        if caller is None:
            raise unauthenticated("The caller's certificate names no identity.")
        caller_var.set(caller)
        if self._open:
            return
        if self._rule is None or caller not in self._rule.callers:
            log.warning("rpc_caller_refused", rpc=self._name, caller=caller)
            raise forbidden(f"{caller} may not call this.")
        await self._admit_user(self._rule, metadata)

    async def _admit_user(self, rule: Allow, metadata: Mapping[str, str]) -> None:
        token = bearer_token(metadata.get("authorization"))
        if token is None:
            if rule.roles is not None:
                raise unauthenticated("Sign in first.")
            return
        principal = await self._verifier.verify(token)
        if rule.roles is not None and principal.role not in rule.roles:
            raise forbidden("Your role does not allow this.")
        principal_var.set(principal)
        current_token.set(token)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `authorization` value. None without one; raises unauthenticated for another scheme."""
    if not authorization:
        return None
    if authorization[: len(_BEARER)].lower() != _BEARER:
        raise unauthenticated("Only bearer tokens are understood.")
    return authorization[len(_BEARER) :].strip()


def _request_id(metadata: Mapping[str, str]) -> str:
    request_id = metadata.get("x-request-id", "")
    return request_id if len(request_id) <= MAX_REQUEST_ID_CHARACTERS and request_id.isprintable() else ""
