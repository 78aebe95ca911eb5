"""What a client may take its time for, how much it may send, how many may come, and how they are let go."""

import asyncio
import contextlib
import json
import socket

import gateway_samples as samples
import pytest
from exam_gateway import connections, server
from exam_gateway.guards import body
from examkit.testing import eventually
from prometheus_client import REGISTRY

SAVE = "/api/v1/student/save-answer"
ANSWER = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION, "answer": "B", "revision": 1}
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
NOT_SIGNED_IN = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n" % SAVE.encode()


class Line:
    """A connection, byte by byte."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def send(self, content):
        self.writer.write(content)

    async def answer(self):
        """Status, headers and body of the next answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        content = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, content

    async def ends(self):
        """Waits for the end; what came before it."""
        with contextlib.suppress(ConnectionResetError):
            return await self.reader.read()
        return b""


@contextlib.asynccontextmanager
async def line(gateway):
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def dribbling(line, piece):
    """Sends a piece again and again, for as long as the connection takes it."""

    async def dribble():
        with contextlib.suppress(ConnectionError):
            while True:
                line.send(piece)
                await line.writer.drain()
                await asyncio.sleep(0.01)

    task = asyncio.create_task(dribble())
    yield
    task.cancel()
    await asyncio.wait({task})


def head(client, path, length, kind="application/json"):
    token = client.headers.get("authorization", "")
    return (
        f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n"
        f"content-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def save(gateway):
    """A whole request."""
    content = json.dumps(ANSWER).encode()
    return head(gateway.student, SAVE, len(content)) + content


def slow_saves():
    """Two events, that a save was asked for and that it may be answered, and the fake."""
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slowly(request):
        asked.set()
        await answered.wait()
        return samples.store_all(request)

    return asked, answered, slowly


def metric(name):
    return REGISTRY.get_sample_value(name)


def is_full(gateway, idle):
    shared = gateway.server.server_state
    return (len(shared.connections), len(shared.idle)) == (shared.most, idle)


def is_late(answer):
    status, headers, content = answer
    assert (status, headers["content-type"]) == (408, "application/problem+json")
    assert headers["connection"] == "close"
    told = json.loads(content)
    assert (told["status"], told["code"]) == (408, "request_timeout")
    return True


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("student", SAVE),
        ("student", "/api/v1/student/save-answers"),
        ("student", "/api/v1/student/submit"),
        ("anonymous", "/api/v1/auth/login"),
        ("admin", "/api/v1/admin/imports"),
    ],
)
async def test_a_body_that_stalls_is_given_up(gateway, monkeypatch, who, path):
    begins, kind = b"{", "application/json"
    if path in body.UPLOADS:
        begins, kind = (
            b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\n",
            "multipart/form-data; boundary=x",
        )
    stalled = metric("examhall_http_bodies_stalled_total")
    async with line(gateway) as slow:
        slow.send(head(getattr(gateway, who), path, 16_000, kind) + begins.ljust(5000))
        await eventually(lambda: metric("examhall_http_body_bytes") == 5000)
        # From the next byte on.
        monkeypatch.setattr(body, "STALL_SECONDS", 0.1)
        slow.send(b" ")
        assert is_late(await slow.answer())
        assert await slow.ends() == b""
    assert metric("examhall_http_body_bytes") == 0
    assert metric("examhall_http_bodies_stalled_total") == stalled + 1


async def test_a_body_that_dribbles_is_given_up(gateway, monkeypatch):
    monkeypatch.setattr(body, "BODY_SECONDS", 0.3)
    async with line(gateway) as slow:
        slow.send(head(gateway.student, SAVE, 16_000))
        async with dribbling(slow, b" "):
            assert is_late(await slow.answer())


def test_uploads_have_longer():
    assert body.seconds_for("/api/v1/admin/imports") > body.seconds_for(SAVE)


async def test_a_request_that_is_here_waits_for_nobody(gateway, fakes, monkeypatch):
    async def no_wait(*_):
        raise AssertionError

    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    monkeypatch.setattr(body, "_in_time", no_wait)
    async with line(gateway) as quick:
        for _ in range(2):
            quick.send(save(gateway))
            assert (await quick.answer())[0] == 200


async def test_no_answer_waits_for_an_acknowledgement(gateway):
    async with line(gateway) as client:
        client.send(HEALTH)
        await client.answer()
        here = client.writer.get_extra_info("sockname")
        (own,) = (
            one.transport.get_extra_info("socket")
            for one in gateway.server.server_state.connections
            if one.transport.get_extra_info("peername") == here
        )
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET / HTTP/1.1\r\nx-a: "])
async def test_a_head_has_to_come(gateway, monkeypatch, sent):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    async with line(gateway) as slow:
        slow.send(sent)
        assert await slow.ends() == b""
    async with line(gateway) as slow, dribbling(slow, sent):
        assert await slow.ends() == b""


async def test_after_an_answer_too(run, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    async with run() as gateway:
        gateway.server.config.timeout_keep_alive = 0.2
        for first, more in ((b"", b""), (b"", b"\r\n"), (b"GET /", b"a")):
            async with line(gateway) as slow:
                slow.send(HEALTH)
                assert (await slow.answer())[0] == 200
                slow.send(first)
                async with dribbling(slow, more):
                    assert await slow.ends() == b""


async def test_the_next_head_cuts_no_answer_short(run, fakes, monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    asked, answered, slowly = slow_saves()
    fakes.answers["Attempts/SaveBatch"] = slowly
    loop = asyncio.get_running_loop()
    async with run() as gateway, line(gateway) as eager:
        eager.send(save(gateway))
        await asked.wait()
        eager.send(b"GET /")
        (connection,) = gateway.server.server_state.connections
        await eventually(lambda: connection._until is not None and loop.time() > connection._until)
        answered.set()
        assert (await eager.answer())[0] == 200


async def test_a_head_has_a_size(gateway):
    async with line(gateway) as endless:
        endless.send(b"GET / HTTP/1.1\r\n")
        async with dribbling(endless, b"x-a: " + b"a" * 8000 + b"\r\n"):
            status, headers, content = await endless.answer()
    assert (status, headers["content-type"]) == (431, "application/problem+json")
    assert json.loads(content)["trace_id"]


async def test_what_is_no_request_is_told_so(gateway):
    async with line(gateway) as other:
        other.send(b"\x16\x03\x01\x02\x00\r\n\r\n")
        status, headers, content = await other.answer()
        assert (status, headers["content-type"]) == (400, "application/problem+json")
        assert json.loads(content)["code"] == "bad_request"
        assert await other.ends() == b""


@pytest.mark.parametrize(
    ("version", "hosts", "expected"),
    [
        ("1.1", b"", 400),
        ("1.1", b"host: x\r\nHost: y\r\n", 400),
        ("1.0", b"", 200),
        ("1.1", b"HOST: x\r\n", 200),
    ],
)
async def test_a_request_names_one_host(gateway, version, hosts, expected):
    async with line(gateway) as careless:
        careless.send(f"GET /healthz HTTP/{version}\r\n".encode() + hosts + b"\r\n")
        status, headers, _ = await careless.answer()
        assert (status, headers.get("connection")) == (
            expected,
            "close" if expected == 400 or version == "1.0" else None,
        )


async def test_trailers_have_a_size(gateway):
    async with line(gateway) as endless:
        chunked = head(gateway.student, SAVE, 0).replace(b"content-length: 0", b"transfer-encoding: chunked")
        endless.send(chunked + b"1\r\n \r\n0\r\n")
        async with dribbling(endless, b"x-a: " + b"a" * 8000 + b"\r\n"):
            await endless.ends()


async def test_a_body_answered_without_may_end_but_not_stay(gateway, monkeypatch):
    async with line(gateway) as early:
        for _ in range(2):
            early.send(NOT_SIGNED_IN)
            assert (await early.answer())[0] == 401
            early.send(b"0123456789")
    monkeypatch.setattr(connections, "UNWANTED_SECONDS", 0.2)
    async with line(gateway) as slow:
        slow.send(NOT_SIGNED_IN.replace(b"10", b"100000"))
        assert (await slow.answer())[0] == 401
        async with dribbling(slow, b"0"):
            assert await slow.ends() == b""


async def test_more_than_may_be_connected(run, fakes, monkeypatch):
    monkeypatch.setattr(connections, "SURPLUS", 1)
    asked, answered, slowly = slow_saves()
    fakes.answers["Attempts/SaveBatch"] = slowly
    async with run(max_connections=2) as gateway, line(gateway) as first, line(gateway) as second:
        first.send(save(gateway))
        second.send(b"GET /")
        await asked.wait()
        await eventually(lambda: is_full(gateway, idle=0))
        async with line(gateway) as third:
            await eventually(lambda: len(gateway.server.server_state.connections) == 3)
            async with line(gateway) as fourth:
                assert await fourth.ends() == b""
            third.send(HEALTH)
            status, headers, content = await third.answer()
            assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
            assert json.loads(content)["code"] == "unavailable"
            assert await third.ends() == b""
        await eventually(lambda: is_full(gateway, idle=0))
        async with line(gateway) as again:
            await eventually(lambda: len(gateway.server.server_state.connections) == 3)
            again.send(NOT_SIGNED_IN)
        answered.set()
        assert (await first.answer())[0] == 200


async def test_who_is_idle_for_longest_makes_room(run, fakes):
    asked, answered, slowly = slow_saves()
    fakes.answers["Attempts/SaveBatch"] = slowly
    displaced = metric("examhall_http_connections_displaced_total")
    async with (
        run(max_connections=3) as gateway,
        line(gateway) as busy,
        line(gateway) as returning,
        line(gateway) as waiting,
    ):
        busy.send(save(gateway))
        await asked.wait()
        for one in (returning, waiting, returning):
            one.send(HEALTH)
            assert (await one.answer())[0] == 200
        await eventually(lambda: is_full(gateway, idle=2))
        async with line(gateway) as newcomer:
            assert await waiting.ends() == b""
            for one in (newcomer, returning):
                one.send(HEALTH)
                assert (await one.answer())[0] == 200
            async with line(gateway) as silent:  # who has not asked for anything yet is idle too
                assert await newcomer.ends() == b""
                async with line(gateway):
                    assert await returning.ends() == b""
                    async with line(gateway):
                        assert await silent.ends() == b""
        answered.set()
        assert (await busy.answer())[0] == 200
    assert metric("examhall_http_connections_displaced_total") == displaced + 4


async def test_a_body_answered_without_leaves_nobody_idle_before_its_end(run):
    async with run() as gateway, line(gateway) as early:
        early.send(NOT_SIGNED_IN)
        assert (await early.answer())[0] == 401
        assert not gateway.server.server_state.idle
        early.send(b"0123456789")
        await eventually(lambda: len(gateway.server.server_state.idle) == 1)
    await eventually(lambda: not gateway.server.server_state.idle)


async def test_who_does_not_read_is_given_up(run, monkeypatch):
    monkeypatch.setattr(server, "UNREAD_SECONDS", 1)
    async with run() as gateway:
        host, port = gateway.url.removeprefix("http://").split(":")
        with socket.socket() as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.setblocking(False)
            await asyncio.get_running_loop().sock_connect(lazy, (host, int(port)))
            lazy.send(b"GET /api/v1/docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n" * 20)
            await eventually(lambda: metric("examhall_http_requests_in_flight") == 1)
            await eventually(lambda: not gateway.server.server_state.connections, timeout=30)
        await eventually(lambda: metric("examhall_http_requests_in_flight") == 0)


async def test_a_server_that_stops_drops_nobody(run, fakes):
    asked, answered, slowly = slow_saves()
    async with run() as gateway, line(gateway) as busy, line(gateway) as quiet, line(gateway) as silent:
        fakes.answers["Attempts/SaveBatch"] = slowly
        busy.send(save(gateway))
        quiet.send(HEALTH)
        assert "connection" not in (await quiet.answer())[1]
        await asked.wait()
        stopping = asyncio.create_task(gateway.server.stop(10))
        await eventually(lambda: not gateway.server.servers[0].is_serving())
        quiet.send(HEALTH)
        status, headers, _ = await quiet.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await quiet.ends() == b""
        assert await silent.ends() == b""
        assert not stopping.done()
        answered.set()
        status, headers, _ = await busy.answer()
        assert (status, headers["connection"]) == (200, "close")
        await stopping


def upgrading(token, name=b"Upgrade", pieces=1):
    """A save by a client that would rather speak HTTP/2, in so many pieces."""
    content = json.dumps(ANSWER).encode()
    head = b"POST %s HTTP/1.1\r\nhost: x\r\nauthorization: %s\r\n" % (SAVE.encode(), token.encode())
    offer = b"connection: Upgrade, HTTP2-Settings\r\n%s: h2c\r\nhttp2-settings: AAMAAABk\r\n" % name
    whole = head + offer + b"content-length: %d\r\n\r\n" % len(content) + content
    place = whole.index(b"\r\n" + name) + 5
    return [whole] if pieces == 1 else [whole[:place], whole[place:]]


@pytest.mark.parametrize("name", [b"Upgrade", b"upgrade", b"UPGRADE"])
async def test_an_offer_to_upgrade_is_ignored_and_no_body_lost(gateway, fakes, name):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    async with line(gateway) as client:
        for _ in range(2):
            client.send(upgrading(gateway.student.headers["authorization"], name)[0])
            status, _, content = await client.answer()
            assert (status, json.loads(content)["outcome"]) == (200, "stored")


async def test_an_offer_that_was_not_found_is_refused_rather_than_its_body_lost(gateway):
    first, second = upgrading(gateway.student.headers["authorization"], pieces=2)
    async with line(gateway) as client:
        client.send(first)
        await client.writer.drain()
        await asyncio.sleep(0.05)
        client.send(second)
        status, headers, _ = await client.answer()
        assert (status, headers["connection"]) == (501, "close")


async def test_an_upgrade_in_a_body_stays_as_it_is(gateway, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    text = json.dumps(ANSWER | {"answer": "\r\nUpgrade: h2c"})
    reply = await gateway.student.post(SAVE, content=text, headers={"content-type": "application/json"})
    assert reply.status_code == 200
    assert fakes.asked("Attempts/SaveBatch").saves[0].answers[0].answer_json == b'"\\r\\nUpgrade: h2c"'


async def test_compressed_bodies_are_unsupported(gateway):
    reply = await gateway.student.post(SAVE, json=ANSWER, headers={"content-encoding": "gzip"})
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported")
