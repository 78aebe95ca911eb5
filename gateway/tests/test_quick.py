"""The short way of saves: who goes it, and that it answers as the long one does."""

import asyncio
import contextlib
import json

import gateway_samples as samples
import pytest
from exam_gateway import connections
from exam_gateway.guards.frame import Frame
from exam_gateway.student import save_client
from examkit import telemetry
from examkit.errors import Kind
from examkit.testing import eventually
from examprotos.exam.v1 import attempts_pb2
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

ONE = "/api/v1/student/save-answer"
MANY = "/api/v1/student/save-answers"
ANSWER = {"question_id": samples.QUESTION, "answer": "B", "revision": 7}
BODY = {"student_exam_id": samples.ATTEMPT, "answers": [ANSWER]}
BAD = {"question_id": samples.QUESTION, "answer": 7}


@contextlib.asynccontextmanager
async def line(gateway):
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


def parts(gateway, body, path=MANY, **headers):
    """The head and the body of a request."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "host": "x",
        "authorization": gateway.student.headers["authorization"],
        "content-type": "application/json",
        "content-length": len(content),
        "x-request-id": "mine",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode(), content


async def answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    content = json.loads(await reader.readexactly(int(headers["content-length"])))
    # They tell when and in which trace it was.
    headers.pop("date", None)
    content.pop("trace_id", None)
    return head[0], headers, content


async def asked(gateway, *request):
    async with line(gateway) as (reader, writer):
        writer.write(b"".join(request))
        return await answer(reader)


@pytest.fixture
def short(gateway, monkeypatch):
    """The gateway, to somebody who was here before, with nothing but the short way."""

    async def never(*_):
        raise AssertionError("went the long way")

    @contextlib.asynccontextmanager
    async def only():
        assert (await gateway.student.post(ONE, json={})).status_code == 422
        with monkeypatch.context() as patch:
            patch.setattr(Frame, "__call__", never)
            yield gateway

    return only


def fault(kind, code):
    failed = attempts_pb2.Fault(kind=kind.name, code=code, detail="No.", retry_after_seconds=3)
    return attempts_pb2.SaveBatchResponse(results=[attempts_pb2.AttemptSaveResult(fault=failed)])


def nothing(_):
    return attempts_pb2.SaveBatchResponse(results=[samples.verdicts()])


def conflict(_):
    verdict = samples.verdict("conflict", code="conflict", detail="Another.", current=samples.saved())
    return attempts_pb2.SaveBatchResponse(results=[samples.verdicts(verdict)])


@pytest.mark.parametrize(
    ("status", "body", "exam", "headers"),
    [
        (200, BODY, samples.store_all, {}),
        (200, BODY, samples.store_all, {"origin": "https://exams.example.org"}),
        (200, BODY, samples.store_all, {"origin": "https://elsewhere.example.org"}),
        (200, {**BODY, "answers": [ANSWER, BAD]}, samples.store_all, {}),
        (409, {"student_exam_id": samples.ATTEMPT, **ANSWER}, conflict, {"path": ONE}),
        (409, BODY, fault(Kind.CONFLICT, "already_submitted"), {}),
        (503, BODY, fault(Kind.UNAVAILABLE, "unavailable"), {}),
        (500, BODY, fault(Kind.INTERNAL, "internal"), {}),
        (500, {"student_exam_id": samples.ATTEMPT, **ANSWER}, nothing, {"path": ONE}),
        (422, b"{", None, {}),
        (422, {**BODY, "student_exam_id": "nobody"}, None, {}),
        (422, {**BODY, "more": 1}, None, {}),
        (415, BODY, None, {"content_type": "text/plain"}),
    ],
)
async def test_both_ways_answer_the_same(gateway, fakes, short, status, body, exam, headers):
    fakes.answers["Attempts/SaveBatch"] = exam
    request = parts(gateway, body, **headers)
    async with short():
        quick = await asked(gateway, *request)
    gateway.server.server_state.quick, kept = None, gateway.server.server_state.quick
    try:
        slow = await asked(gateway, *request)
    finally:
        gateway.server.server_state.quick = kept
    assert quick == slow
    assert f" {status} " in quick[0]


async def test_a_body_just_behind_its_head_goes_the_short_way_too(gateway, fakes, short):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    head, content = parts(gateway, BODY)
    async with short(), line(gateway) as (reader, writer):
        writer.write(head)
        await held(gateway)
        writer.write(content)
        assert " 200 " in (await answer(reader))[0]


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_slow_body_goes_the_long_way(gateway, fakes, monkeypatch, pieces):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    monkeypatch.setattr(connections, "BODY_BEHIND_SECONDS", 0.0 if pieces == 1 else 60.0)
    head, content = parts(gateway, BODY)
    async with line(gateway) as (reader, writer):
        writer.write(head)
        if pieces == 2:
            await held(gateway)
            writer.write(content[:5])
        await asking(gateway)
        writer.write(content if pieces == 1 else content[5:])
        assert " 200 " in (await answer(reader))[0]


async def test_requests_in_a_row_are_answered_in_a_row(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    first, second = parts(gateway, BODY), parts(gateway, BODY, x_request_id="second")
    async with line(gateway) as (reader, writer):
        writer.write(b"".join(first + second + second))
        ids = [(await answer(reader))[1]["x-request-id"] for _ in range(3)]
    assert ids == ["mine", "second", "second"]


async def test_who_leaves_before_the_answer_costs_nothing(gateway, fakes, short):
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slowly(request):
        asked.set()
        await answered.wait()
        return samples.store_all(request)

    fakes.answers["Attempts/SaveBatch"] = slowly
    before = REGISTRY.get_sample_value("examhall_http_requests_in_flight")
    async with short():
        async with line(gateway) as (_, writer):
            writer.write(b"".join(parts(gateway, BODY)))
            await asked.wait()
        await eventually(lambda: not gateway.server.server_state.connections - idle(gateway))
        answered.set()
        await eventually(lambda: REGISTRY.get_sample_value("examhall_http_requests_in_flight") == before)


async def test_too_many_waiting_are_told_at_once(gateway, short, monkeypatch):
    def full(*_):
        raise save_client.unavailable("Too many saves are waiting.", retry_after=1.0)

    monkeypatch.setattr(save_client.SaveClient, "save", full)
    async with short():
        status, headers, _ = await asked(gateway, *parts(gateway, BODY))
    assert (" 503 " in status, headers["retry-after"]) == (True, "1")


async def test_one_student_can_not_drown_a_class(run, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    async with run(rate_limits=True) as gateway, line(gateway) as (reader, writer):
        request = b"".join(parts(gateway, BODY))
        taken = 0
        while " 200 " in (status := await _next(reader, writer, request)):
            taken += 1
    assert taken >= 300
    assert " 429 " in status


async def test_what_is_traced_goes_the_long_way(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    exporter = InMemorySpanExporter()
    telemetry.setup("test", "", 0.0, processor=SimpleSpanProcessor(exporter))
    try:
        for flags in ("00", "01"):
            await asked(gateway, *parts(gateway, BODY, traceparent=f"00-{'a' * 32}-{'b' * 16}-{flags}"))
        assert [span.name for span in exporter.get_finished_spans()].count(f"POST {MANY}") == 1
    finally:
        telemetry.shutdown()


async def _next(reader, writer, request):
    writer.write(request)
    return (await answer(reader))[0]


def idle(gateway):
    return set(gateway.server.server_state.idle)


async def held(gateway):
    await eventually(lambda: any(each._held_until for each in gateway.server.server_state.connections))


async def asking(gateway):
    """Until the long way has begun."""
    await eventually(lambda: bool(gateway.server.server_state.tasks))
