"""The ops port, the supervisor of workers, traces that cost nothing unsampled."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import structlog
from examkit import telemetry
from examkit.database_errors import DatabaseAway
from examkit.errors import AppError
from examkit.ids import parse_uuid, uuid7
from examkit.ops import OpsServer, write_ready_file
from examkit.workers import FunctionWorker, Supervisor, periodic
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, Counter, Histogram


class Readiness:
    """What the ready check answers."""

    reason: str | None = "waiting for the database"
    fails = False

    async def __call__(self) -> str | None:
        if self.fails:
            raise ConnectionError("postgresql://user:hidden@db")
        return self.reason


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def client(readiness: Readiness) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    Counter("examhall_saves", "Saves", registry=registry).inc(3)
    server = OpsServer("127.0.0.1:0", readiness, registry=registry)
    port = await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        yield http
    await server.stop()


async def test_health_does_not_ask_whether_it_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200


async def test_readiness_gives_its_reason(client: httpx.AsyncClient, readiness: Readiness) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "waiting for the database")
    readiness.reason = None
    assert (await client.get("/readyz?verbose")).status_code == 200


async def test_a_ready_check_that_fails_is_not_ready_and_tells_no_secret(
    client: httpx.AsyncClient, readiness: Readiness
) -> None:
    readiness.fails = True
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "hidden" not in answer.text


async def test_metrics_come_from_the_registry(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert "examhall_saves_total 3.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


async def test_a_scraper_that_reads_them_gets_the_trace_of_a_slow_call(readiness: Readiness) -> None:
    telemetry.setup("test", "", 1.0, processor=SimpleSpanProcessor(InMemorySpanExporter()))
    registry = CollectorRegistry()
    seconds = Histogram("examhall_calls_seconds", "Calls", registry=registry)
    with telemetry.span("call") as recorded:
        seconds.observe(0.3, telemetry.exemplar(recorded))
        trace = telemetry.trace_id()
    telemetry.shutdown()
    with telemetry.span("unsampled") as recorded:
        assert telemetry.exemplar(recorded) is None
    server = OpsServer("127.0.0.1:0", readiness, registry=registry)
    port = await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        answer = await http.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    await server.stop()
    assert f'# {{trace_id="{trace}"}} 0.3' in answer.text


async def test_everything_else_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).status_code == 404
    assert (await client.post("/metrics")).status_code == 405


async def test_noise_does_not_stop_the_ops_port(client: httpx.AsyncClient) -> None:
    for noise in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"x" * 20_000, b""):
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(noise)
        writer.write_eof()
        async with asyncio.timeout(5.0):
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.close()
    assert (await client.get("/healthz")).status_code == 200


def test_the_ready_file_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "run" / "exam.json"
    write_ready_file(path, {"pid": 1})
    write_ready_file(path, {"pid": 2})
    assert json.loads(path.read_text()) == {"pid": 2}
    assert list(path.parent.iterdir()) == [path]


async def test_a_worker_that_crashes_or_returns_is_started_again() -> None:
    runs = 0
    alive = asyncio.Event()

    async def shaky() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("broken")
        if runs == 2:
            return
        alive.set()
        await asyncio.Event().wait()

    supervisor = Supervisor([FunctionWorker("shaky", shaky)], first_pause=0.001)
    supervisor.start()
    async with asyncio.timeout(5.0):
        await alive.wait()
    await supervisor.stop()
    assert runs == 3


async def test_a_worker_may_finish_its_step_when_stopped() -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    async def careful() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            finished.set()

    supervisor = Supervisor([FunctionWorker("careful", careful)])
    supervisor.start()
    await started.wait()
    await supervisor.stop(5.0)
    assert finished.is_set()


async def test_a_step_that_fails_does_not_end_a_periodic_worker() -> None:
    steps = 0
    enough = asyncio.Event()

    async def step() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            enough.set()
        raise RuntimeError("this step failed")

    supervisor = Supervisor([periodic("sweeper", 0.001, step)], first_pause=60.0)
    supervisor.start()
    async with asyncio.timeout(5.0):
        await enough.wait()
    await supervisor.stop()


async def test_a_periodic_worker_says_once_that_postgres_is_away() -> None:
    failures: list[Exception | None] = [DatabaseAway(), DatabaseAway(), None, DatabaseAway(), RuntimeError()]
    done = asyncio.Event()

    async def step() -> None:
        if not failures:
            done.set()
        elif failure := failures.pop(0):
            raise failure

    with structlog.testing.capture_logs() as said:
        supervisor = Supervisor([periodic("sweeper", 0.001, step)], first_pause=60.0)
        supervisor.start()
        async with asyncio.timeout(5.0):
            await done.wait()
        await supervisor.stop()
    away = {"event": "worker_waits_for_postgres", "worker": "sweeper", "log_level": "warning"}
    assert said[:2] == [away, away]
    assert [one["event"] for one in said[2:]] == ["worker_step_failed"]


def test_a_trace_is_sampled_or_not_as_a_whole() -> None:
    exporter = InMemorySpanExporter()
    telemetry.setup("test", "", 0.0, processor=SimpleSpanProcessor(exporter))
    try:
        with telemetry.span("unsampled") as recorded, telemetry.span("inside"):
            assert recorded is None
            assert telemetry.trace_id()
            assert str(telemetry.traceparent()).endswith("-00")
        parent = telemetry.parse("00-" + "a" * 32 + "-" + "b" * 16 + "-01")
        with telemetry.span("sampled by the caller", "server", parent=parent), telemetry.span("inner"):
            assert telemetry.trace_id() == "a" * 32
            headers: dict[str, object] = {}
            telemetry.inject(headers)
    finally:
        telemetry.shutdown()
    names = {span.name: span for span in exporter.get_finished_spans()}
    assert set(names) == {"sampled by the caller", "inner"}
    carried = telemetry.extract(headers)
    assert carried is not None
    assert carried.sampled
    assert carried.span_id == names["inner"].context.span_id


def test_a_span_tells_that_it_failed_but_not_what_was_in_it() -> None:
    exporter = InMemorySpanExporter()
    telemetry.setup("test", "", 1.0, processor=SimpleSpanProcessor(exporter))
    try:
        with pytest.raises(ValueError, match="hidden"), telemetry.span("broken"):
            raise ValueError("hidden")
    finally:
        telemetry.shutdown()
    (span,) = exporter.get_finished_spans()
    assert "hidden" not in span.to_json()
    assert span.status.description == "ValueError"


@pytest.mark.parametrize("value", [None, "", "00-zz", 7, b"\xff", "00-" + "0" * 32 + "-" + "b" * 16 + "-01"])
def test_a_malformed_traceparent_is_ignored(value: object) -> None:
    assert telemetry.parse(value) is None


def test_ids_grow_with_time_and_only_canonical_ones_are_read() -> None:
    made = [uuid7() for _ in range(100)]
    assert made == sorted(made)
    assert {each.version for each in made} == {7}
    assert parse_uuid(str(made[0])) == made[0]
    for text in ("", "7", "{" + str(made[0]) + "}", made[0].hex):
        with pytest.raises(AppError) as caught:
            parse_uuid(text, "exam")
        assert caught.value.code == "not_found"
