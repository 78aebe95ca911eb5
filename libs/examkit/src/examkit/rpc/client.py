"""Calls to other services: mutual TLS, deadlines that only shrink, the user's token, errors as AppError."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import structlog

from examkit import telemetry
from examkit.errors import unavailable
from examkit.rpc.context import current_token, remaining_seconds, request_id_var
from examkit.rpc.metrics import called, split_method, tried_again
from examkit.rpc.retries import budget_of, pauses, unreached
from examkit.rpc.server import MAX_MESSAGE_BYTES
from examkit.rpc.trailers import MAX_METADATA_BYTES, from_rpc_error
from examkit.tls import TlsFiles, channel_credentials, server_name

HOP_SECONDS = 0.01
"""Kept back at each hop, so that the caller still hears why it failed."""

Request = TypeVar("Request")
Response = TypeVar("Response")
# A plain tuple would be turned into one, after a look at it that costs more than the making.
Metadata = grpc.aio.Metadata

log = structlog.get_logger(__name__)


def connect(target: str, *, server: str, tls: TlsFiles) -> grpc.aio.Channel:
    """A channel to a service (`host:port` or `dns:///…`) that must prove to be the identity `server`.

    Build it within the running event loop and close it at the end. It connects at the first call,
    spreads calls over all addresses of the name, and heals by itself.
    """
    if ":///" not in target and not target.startswith(("unix:", "ipv4:", "ipv6:")):
        target = f"dns:///{target}"
    return grpc.aio.secure_channel(target, channel_credentials(tls), options=_options(server))


async def call(
    method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
    request: Request | Callable[[], Request],
    *,
    timeout: float,
    idempotent: bool = False,
    token: str | None = None,
) -> Response:
    """One unary call: `await call(stub.Get, request, timeout=2.0)`.

    A request that tells how long something has waited is given as a function, which makes it for each try.

    `timeout` in seconds, cut to what the caller has left. The current user's token travels unless another
    is given (`""`: none). `idempotent` calls are tried again, within the time, where the service could not
    be reached or left before it answered. Raises AppError: the service's own, or unavailable.
    """
    give_up = time.monotonic() + _limit(timeout)

    async def attempt(metadata: Metadata) -> Response:
        message = request() if callable(request) else request
        return await method(message, timeout=give_up - time.monotonic(), metadata=metadata)

    async def persistently(metadata: Metadata) -> Response:
        return await _tried(attempt, metadata, _path(method), give_up)

    return await _observed(method, persistently if idempotent else attempt, token)


async def upload(
    method: grpc.aio.StreamUnaryMultiCallable[Request, Response],
    requests: AsyncIterable[Request],
    *,
    timeout: float,
    token: str | None = None,
) -> Response:
    """A call that sends a stream and gets one answer. Never repeated. Raises as `call`."""

    async def attempt(metadata: Metadata) -> Response:
        # grpc.aio swallows what the iterator raises and the call would merely look cancelled.
        failure: list[Exception] = []

        async def watched() -> AsyncIterator[Request]:
            try:
                async for request in requests:
                    yield request
            except Exception as error:
                failure.append(error)
                raise

        try:
            return await method(watched(), timeout=_limit(timeout), metadata=metadata)
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            if failure:
                raise failure[0] from None
            raise

    return await _observed(method, attempt, token)


async def stream(
    method: grpc.aio.UnaryStreamMultiCallable[Request, Response],
    request: Request,
    *,
    timeout: float | None = None,
    token: str | None = None,
) -> AsyncIterator[Response]:
    """A call that is answered by a stream; leaving the loop ends it. Raises as `call`.

    `timeout` None: as long as the caller's own deadline, or for good.
    """
    limit = remaining_seconds() if timeout is None else _limit(timeout)
    pending = method(request, timeout=limit, metadata=_metadata(token))
    try:
        async for response in pending:
            yield response
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
    finally:
        pending.cancel()


def _limit(timeout: float) -> float:
    left = remaining_seconds()
    if left is None:
        return timeout
    if left <= HOP_SECONDS:
        raise unavailable("There was no time left to ask another service.")
    return min(timeout, left - HOP_SECONDS)


async def _observed(
    method: Any, attempt: Callable[[Metadata], Awaitable[Response]], token: str | None
) -> Response:
    path = _path(method)
    started = time.perf_counter()
    code = "OK"
    recorded = None
    try:
        with telemetry.span(path.removeprefix("/"), "client") as recorded:
            return await attempt(_metadata(token))
    except grpc.aio.AioRpcError as error:
        code = error.code().name
        raise from_rpc_error(error) from None
    except asyncio.CancelledError:
        code = "CANCELLED"
        raise
    finally:
        seconds = time.perf_counter() - started
        called(*split_method(path), code).observe(seconds, telemetry.exemplar(recorded))


async def _tried(
    attempt: Callable[[Metadata], Awaitable[Response]], metadata: Metadata, path: str, give_up: float
) -> Response:
    budget = budget_of(path)
    for pause in pauses():
        try:
            response = await attempt(metadata)
        except grpc.aio.AioRpcError as error:
            in_time = time.monotonic() + pause < give_up
            if not (in_time and unreached(error) and budget.spend()):
                raise
            code = error.code().name
            log.info("call_tried_again", rpc=path, code=code, reason=error.details())
            tried_again.labels(*split_method(path), code).inc()
        else:
            budget.earn()
            return response
        await asyncio.sleep(pause)
    raise AssertionError("unreachable")


def _metadata(token: str | None) -> Metadata:
    token = current_token.get() if token is None else token
    found = (
        ("authorization", f"Bearer {token}" if token else None),
        ("traceparent", telemetry.traceparent()),
        ("x-request-id", request_id_var.get()),
    )
    return Metadata(*((key, value) for key, value in found if value))


def _path(method: Any) -> str:
    path = getattr(method, "_method", b"")
    return path.decode() if isinstance(path, bytes) else str(path)


def _options(server: str) -> tuple[tuple[str, str | int], ...]:
    return (
        ("grpc.ssl_target_name_override", server_name(server)),
        ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.dns_min_time_between_resolutions_ms", 5_000),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", 2 * MAX_METADATA_BYTES),
        # One of several that hangs is left after 2 or 3 s, while there is time to ask another one. Pings are
        # answered by gRPC's own threads: a service that is merely slow answers them. While a ping for other
        # ends is under way no keepalive is sent, so that its own limit of 60 s would be the one that counts.
        ("grpc.keepalive_time_ms", 1_000),
        ("grpc.keepalive_timeout_ms", 2_000),
        ("grpc.http2.ping_timeout_ms", 2_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # A service that comes back is found again within 2 s (gRPC's own limit is 2 minutes).
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.min_reconnect_backoff_ms", 3_000),
    )
