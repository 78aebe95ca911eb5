"""What crosses a call: errors, deadlines, retries, streams, large messages, metrics, spans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

import grpc
import pytest
from examkit import telemetry
from examkit.errors import AppError, FieldError, Kind, conflict, invalid, unavailable
from examkit.rpc import retries
from examkit.rpc.client import call, stream, upload
from examkit.rpc.context import acting, remaining_seconds
from examkit.rpc.policy import allow
from examkit.testing import eventually
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

ECHO = "examhall.test.v1.Echo"
POLICIES = {ECHO: allow("gateway-student")}


@pytest.fixture(autouse=True)
def _a_full_budget() -> Iterator[None]:
    retries.budget_of.cache_clear()
    yield
    retries.budget_of.cache_clear()


def say(channel: grpc.aio.Channel) -> Any:
    return channel.unary_unary(f"/{ECHO}/Say")


async def fails(channel: grpc.aio.Channel, **options: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        await call(say(channel), b"", **({"timeout": 5.0} | options))
    return caught.value


async def channel_to(world: Any, **behaviour: Any) -> grpc.aio.Channel:
    server = await world.serve(POLICIES, **behaviour)
    channel: grpc.aio.Channel = world.channel(server.port)
    return channel


@pytest.mark.parametrize("kind", list(Kind))
async def test_every_kind_of_error_arrives_as_it_was_raised(world: Any, kind: Kind) -> None:
    async def broken(request: bytes, context: Any) -> bytes:
        raise AppError(
            kind,
            "some_code",
            "Zu spät: 50 % fehlen.",
            errors=[FieldError(("answers", 0, "answer"), "too long")],
            extra={"current": {"answer": ["A"], "revision": 3}},
            retry_after=1.5,
        )

    error = await fails(await channel_to(world, unary=broken))
    assert (error.kind, error.code, error.detail) == (kind, "some_code", "Zu spät: 50 % fehlen.")
    assert error.errors == (FieldError(("answers", 0, "answer"), "too long"),)
    assert error.extra == {"current": {"answer": ["A"], "revision": 3}}
    assert error.retry_after == 1.5


async def test_a_large_current_answer_fits_into_the_error(world: Any) -> None:
    answer = "ä" * 32 * 1024

    async def broken(request: bytes, context: Any) -> bytes:
        raise conflict("conflict", "Another answer is stored.", current={"answer": answer})

    error = await fails(await channel_to(world, unary=broken))
    assert error.extra["current"]["answer"] == answer


async def test_an_error_too_large_for_metadata_keeps_its_code(world: Any) -> None:
    async def broken(request: bytes, context: Any) -> bytes:
        raise invalid("Much is wrong.", code="invalid", blob="x" * 1_000_000)

    error = await fails(await channel_to(world, unary=broken))
    assert (error.kind, error.code, dict(error.extra)) == (Kind.INVALID, "invalid", {})


async def test_an_unforeseen_exception_tells_nothing(world: Any) -> None:
    async def broken(request: bytes, context: Any) -> bytes:
        raise RuntimeError("SELECT secret FROM passwords")

    error = await fails(await channel_to(world, unary=broken))
    assert (error.kind, error.code) == (Kind.INTERNAL, "internal")
    assert "secret" not in str(error)


async def test_an_unknown_method_is_an_internal_error(world: Any) -> None:
    channel = await channel_to(world)
    assert (await fails(channel)).kind is Kind.INTERNAL


async def test_a_call_that_takes_too_long_is_unavailable(world: Any) -> None:
    async def stuck(request: bytes, context: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    error = await fails(await channel_to(world, unary=stuck), timeout=0.2)
    assert error.kind is Kind.UNAVAILABLE


async def test_a_deadline_shrinks_along_the_way(world: Any) -> None:
    async def left(request: bytes, context: Any) -> bytes:
        return str(remaining_seconds()).encode()

    channel = await channel_to(world, unary=left)
    with acting(timeout=1.0):
        assert float(await call(say(channel), b"", timeout=30.0)) < 1.0
    assert 1.0 < float(await call(say(channel), b"", timeout=30.0)) < 31.0  # gRPC rounds up on the wire


async def test_no_time_left_means_no_call(world: Any) -> None:
    calls = 0

    async def count(request: bytes, context: Any) -> bytes:
        nonlocal calls
        calls += 1
        return b""

    channel = await channel_to(world, unary=count)
    with acting(timeout=0.0):
        assert (await fails(channel)).kind is Kind.UNAVAILABLE
    assert calls == 0


class Flaky:
    """Fails as the transport does for some calls, then answers."""

    def __init__(self, failures: int, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        self.calls = 0
        self._failures = failures
        self._code = code

    async def __call__(self, request: bytes, context: Any) -> bytes:
        self.calls += 1
        if self.calls <= self._failures:
            await context.abort(self._code, "gone")
        return b"done"


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
async def test_an_idempotent_call_is_tried_until_it_is_answered(world: Any, code: grpc.StatusCode) -> None:
    flaky = Flaky(3, code)
    answer = await call(say(await channel_to(world, unary=flaky)), b"", timeout=10.0, idempotent=True)
    assert (answer, flaky.calls) == (b"done", 4)


async def test_each_try_has_a_request_of_its_own(world: Any) -> None:
    heard = []

    async def second_time(request: bytes, context: Any) -> bytes:
        heard.append(request)
        if len(heard) == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        return b"done"

    made = iter([b"first", b"second"])
    channel = await channel_to(world, unary=second_time)
    await call(say(channel), lambda: next(made), timeout=10.0, idempotent=True)
    assert heard == [b"first", b"second"]


async def test_where_a_service_is_away_for_long_calls_are_soon_tried_once_alone(world: Any) -> None:
    away = Flaky(10**6)
    channel = await channel_to(world, unary=away)
    failing = 3 * int(retries.BUDGET)
    await asyncio.gather(*(fails(channel, timeout=10.0, idempotent=True) for _ in range(failing)))
    assert away.calls == failing + retries.BUDGET
    await fails(channel, timeout=10.0, idempotent=True)
    assert away.calls == failing + retries.BUDGET + 1


def test_answers_bring_back_tries() -> None:
    budget = retries.Budget()
    while budget.spend():
        pass
    for _ in range(11):
        budget.earn()
    assert (budget.spend(), budget.spend()) == (True, False)


def test_pauses_grow_and_are_bounded() -> None:
    first, *_, late = islice(retries.pauses(), 12)
    assert 0.5 * retries.FIRST_PAUSE_SECONDS <= first <= 1.5 * retries.FIRST_PAUSE_SECONDS
    assert 0.5 * retries.LONGEST_PAUSE_SECONDS <= late <= 1.5 * retries.LONGEST_PAUSE_SECONDS


async def test_other_calls_are_never_repeated(world: Any) -> None:
    flaky = Flaky(1)
    assert (await fails(await channel_to(world, unary=flaky))).kind is Kind.UNAVAILABLE
    assert flaky.calls == 1


async def test_a_service_that_asks_for_time_is_not_asked_again(world: Any) -> None:
    calls = 0

    async def full(request: bytes, context: Any) -> bytes:
        nonlocal calls
        calls += 1
        raise unavailable("The queue is full.", retry_after=3.0)

    error = await fails(await channel_to(world, unary=full), idempotent=True)
    assert (error.retry_after, calls) == (3.0, 1)


async def test_a_server_that_is_away_and_comes_back_is_found_again(world: Any) -> None:
    flaky = Flaky(0)
    server = await world.serve(POLICIES, unary=flaky)
    channel = world.channel(server.port)
    await call(say(channel), b"", timeout=5.0)
    await server.stop(0.0)
    assert (await fails(channel)).kind is Kind.UNAVAILABLE
    await world.serve(POLICIES, unary=flaky, bind=f"127.0.0.1:{server.port}")
    async with asyncio.timeout(10.0):
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            await channel.wait_for_state_change(state)
    assert await call(say(channel), b"", timeout=5.0) == b"done"


async def test_messages_of_many_megabytes_pass(world: Any) -> None:
    async def echo(request: bytes, context: Any) -> bytes:
        return request

    large = bytes(12 * 1024 * 1024)
    assert await call(say(await channel_to(world, unary=echo)), large, timeout=20.0) == large


async def test_a_stream_gives_what_came_before_its_error(world: Any) -> None:
    async def two_then_fail(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"1"
        yield b"2"
        raise conflict("already_started", "It runs.", student_exam_id="7")

    channel = await channel_to(world, stream=two_then_fail)
    listening = stream(channel.unary_stream(f"/{ECHO}/Listen"), b"", timeout=5.0)
    assert [await anext(listening), await anext(listening)] == [b"1", b"2"]
    with pytest.raises(AppError) as caught:
        await anext(listening)
    assert (caught.value.code, caught.value.extra) == ("already_started", {"student_exam_id": "7"})


async def test_leaving_a_stream_ends_it_on_the_server(world: Any) -> None:
    ended = asyncio.Event()

    async def endless(request: bytes, context: Any) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick"
                await asyncio.sleep(0)
        finally:
            ended.set()

    channel = await channel_to(world, stream=endless)
    listening = stream(channel.unary_stream(f"/{ECHO}/Listen"), b"")
    assert await anext(listening) == b"tick"
    await listening.aclose()
    async with asyncio.timeout(5.0):
        await ended.wait()


async def test_a_stream_is_guarded_too(world: Any) -> None:
    async def ticks(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield b"tick"

    server = await world.serve(POLICIES, stream=ticks)
    channel = world.channel(server.port, identity="import")
    with pytest.raises(AppError) as caught:
        await anext(stream(channel.unary_stream(f"/{ECHO}/Listen"), b"", timeout=5.0))
    assert caught.value.kind is Kind.FORBIDDEN


async def test_an_upload_arrives_and_its_errors_come_back(world: Any) -> None:
    async def collect(requests: AsyncIterator[bytes], context: Any) -> bytes:
        whole = b"".join([part async for part in requests])
        if not whole:
            raise invalid("Nothing came.")
        return whole

    async def parts(*given: bytes) -> AsyncIterator[bytes]:
        for part in given:
            yield part

    channel = await channel_to(world, upload=collect)
    method = channel.stream_unary(f"/{ECHO}/Collect")
    assert await upload(method, parts(b"a", b"b"), timeout=5.0) == b"ab"
    with pytest.raises(AppError) as caught:
        await upload(method, parts(), timeout=5.0)
    assert caught.value.kind is Kind.INVALID


async def test_an_upload_whose_source_fails_raises_what_the_source_raised(world: Any) -> None:
    async def collect(requests: AsyncIterator[bytes], context: Any) -> bytes:
        return b"".join([part async for part in requests])

    async def breaks() -> AsyncIterator[bytes]:
        yield b"a"
        raise invalid("too large", code="too_large")

    channel = await channel_to(world, upload=collect)
    with pytest.raises(AppError) as caught:
        await upload(channel.stream_unary(f"/{ECHO}/Collect"), breaks(), timeout=5.0)
    assert caught.value.code == "too_large"


async def test_calls_are_counted_by_outcome(world: Any) -> None:
    async def broken(request: bytes, context: Any) -> bytes:
        raise conflict("published", "It is published.")

    def seen(side: str) -> float:
        labels = {"service": ECHO, "method": "Say", "code": "ABORTED"}
        return REGISTRY.get_sample_value(f"examhall_rpc_{side}_seconds_count", labels) or 0.0

    before = seen("server"), seen("client")
    await fails(await channel_to(world, unary=broken))
    # The server counts after it has answered.
    await eventually(lambda: (seen("server"), seen("client")) == (before[0] + 1, before[1] + 1))


async def test_one_trace_goes_through_client_and_server(world: Any) -> None:
    async def where(request: bytes, context: Any) -> bytes:
        return telemetry.trace_id().encode()

    channel = await channel_to(world, unary=where)
    exporter = InMemorySpanExporter()
    telemetry.setup("test", "", 1.0, processor=SimpleSpanProcessor(exporter))
    try:
        with telemetry.span("request", "internal"):
            outside = telemetry.trace_id()
            assert (await call(say(channel), b"", timeout=5.0)).decode() == outside
    finally:
        telemetry.shutdown()
    spans = {(span.name, span.kind.name): span for span in exporter.get_finished_spans()}
    server, client = spans[f"{ECHO}/Say", "SERVER"], spans[f"{ECHO}/Say", "CLIENT"]
    assert server.parent is not None
    assert client.context is not None
    assert server.parent.span_id == client.context.span_id
