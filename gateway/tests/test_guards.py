"""What stands before every endpoint: errors of HTTP itself, origins, sizes, rates, headers."""

import asyncio
import contextlib
import json

import gateway_samples as samples
import jwt
import pytest
from exam_gateway import problems
from exam_gateway.guards import body, json_body
from exam_gateway.guards.body import MIB, limit_for
from exam_gateway.guards.limits import Buckets, RateLimits
from examkit.errors import AppError, Kind, conflict
from examkit.testing import eventually
from prometheus_client import REGISTRY, generate_latest
from structlog.testing import capture_logs

OURS = "https://exams.example.org"
LOGIN = {"email": "ada@example.com", "password": "a demo password"}


def is_problem(reply, status, code):
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")
    body = reply.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body.keys() >= {"type", "title", "status", "detail", "code", "trace_id"}
    return True


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1", "/api/v1/nothing", "/api/v1/admin/exams/", "/nothing", "/.well-known/x"]
)
async def test_unknown_addresses(gateway, path):
    assert is_problem(await gateway.anonymous.get(path), 404, "not_found")


async def test_wrong_methods_name_the_right_ones(gateway):
    for method, path, allowed in (
        ("DELETE", "/api/v1/admin/exams", "GET, POST"),
        ("POST", f"/api/v1/admin/exams/{samples.EXAM}", "DELETE, GET, PATCH"),
        ("GET", "/api/v1/auth/login", "POST"),
        ("HEAD", "/api/v1/auth/me", "GET"),
        ("OPTIONS", "/api/v1/auth/login", "POST"),
        ("TRACE", "/api/v1/auth/login", "POST"),
        ("PUT", "/api/v1/student/save-answer", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/api/v1/openapi.json", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
    ):
        reply = await gateway.anonymous.request(method, path)
        assert (reply.status_code, reply.headers["allow"]) == (405, allowed), path
        assert method == "HEAD" or is_problem(reply, 405, "method_not_allowed")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"email": NaN}', b"[" * 5000, b'"\\ud800"'])
async def test_malformed_json(gateway, content):
    reply = await gateway.anonymous.post(
        "/api/v1/auth/login", content=content, headers={"content-type": "application/json"}
    )
    assert is_problem(reply, 422, "invalid")
    assert reply.json()["errors"][0]["loc"] == ["body"]


async def test_bodies_of_another_type(gateway):
    reply = await gateway.anonymous.post("/api/v1/auth/login", data=LOGIN)
    assert is_problem(reply, 415, "unsupported")


async def test_nul_in_the_query(gateway):
    assert is_problem(await gateway.admin.get("/api/v1/admin/users?q=%00"), 422, "invalid")


async def test_sizes_are_judged_before_and_while_reading(gateway, fakes):
    assert limit_for("/api/v1/admin/imports") == 21 * MIB
    reply = await gateway.anonymous.post("/api/v1/auth/login", content=b" " * 20_000)
    assert is_problem(reply, 413, "too_large")

    async def chunks(count):
        for _ in range(count):
            yield b" " * 8192

    for client, path, count in (
        (gateway.anonymous, "/api/v1/auth/login", 4),
        (gateway.student, "/api/v1/student/save-answer", 80),
        (gateway.student, f"/api/v1/student/start/{samples.EXAM}", 80),
    ):
        reply = await client.post(path, content=chunks(count), headers={"content-type": "application/json"})
        assert is_problem(reply, 413, "too_large"), path
    multipart = {"content-type": "multipart/form-data; boundary=x"}

    async def upload():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'
        for _ in range(22):
            yield b"0" * MIB

    reply = await gateway.admin.post("/api/v1/admin/imports", content=upload(), headers=multipart)
    assert is_problem(reply, 413, "too_large")


LARGE_PATHS = ["/api/v1/student/save-answers", "/api/v1/student/submit"]


@contextlib.asynccontextmanager
async def half_sent(client, path, size):
    """A request whose body stalls after `size` bytes; ends with the block."""
    sent, end = asyncio.Event(), asyncio.Event()

    async def content():
        yield b" " * size
        sent.set()
        await end.wait()

    request = asyncio.create_task(client.post(path, content=content()))
    await sent.wait()
    yield
    end.set()
    await request


def held():
    return REGISTRY.get_sample_value("examhall_http_body_bytes")


@pytest.mark.parametrize("path", LARGE_PATHS)
async def test_more_bodies_than_the_process_holds(gateway, fakes, monkeypatch, path):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    monkeypatch.setattr(body, "HELD_LARGE", 2 * MIB)
    async with gateway.client("student") as other, half_sent(other, path, int(1.5 * MIB)):
        await eventually(lambda: held() == 1.5 * MIB)
        reply = await gateway.student.post(path, content=b" " * MIB)
        assert is_problem(reply, 503, "unavailable")
        assert int(reply.headers["retry-after"]) >= 1
        # A single save gets in all the same.
        save = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION, "answer": "B"}
        assert (await gateway.student.post("/api/v1/student/save-answer", json=save)).status_code == 200
    await eventually(lambda: held() == 0)
    assert is_problem(await gateway.student.post(path, content=b" " * MIB), 422, "invalid")


@pytest.mark.parametrize("path", LARGE_PATHS)
async def test_large_bodies_of_one_student(gateway, path):
    async with gateway.client("student") as me, half_sent(me, path, MIB), half_sent(me, path, MIB):
        await eventually(lambda: held() == 2 * MIB)
        reply = await me.post(path, content=b" " * MIB)
        assert is_problem(reply, 429, "rate_limited")
        assert reply.headers["retry-after"] == "1"
        assert (await me.post(path, content=b" " * 1000)).status_code == 422
        assert (await gateway.student.post(path, content=b" " * MIB)).status_code == 422
        user = jwt.decode(me.headers["authorization"][7:], options={"verify_signature": False})["sub"]
    await eventually(lambda: held() == 0)
    async with gateway.client("student", user=user) as me:
        assert (await me.post(path, content=b" " * MIB)).status_code == 422


@pytest.mark.parametrize("told", [True, False])
async def test_large_bodies_are_paid_by_size(run, fakes, told):
    """32 MiB at once: two bodies of 15 MiB, or of no told length."""

    async def chunks():
        yield b" " * MIB

    async with run(rate_limits=True) as gateway:
        for expected in (422, 422, 429):
            content = b" " * (15 * MIB) if told else chunks()
            reply = await gateway.student.post(LARGE_PATHS[1], content=content)
            assert reply.status_code == expected
        assert int(reply.headers["retry-after"]) >= 1
        assert (await gateway.student.post(LARGE_PATHS[1], content=b" ")).status_code == 422


@pytest.mark.parametrize(
    ("sent", "fine"),
    [
        (b'{"a": "\\\\u0000"}', True),
        (b'{"a": "\\u0000"}', False),
        (b'{"\\u0000": 1}', False),
        (b'{"a": "\\\\\\u0000"}', False),
        (b"[" * 60 + b"]" * 60, True),
        (b"[" * 70 + b"]" * 70, False),
        (b'{"a": [%s]}' % b",".join([b'{"b": [1]}'] * 300), True),
        (b"{%s}" % b",".join(b'"%d": 0' % number for number in range(300)), False),
    ],
)
def test_what_json_may_hold(sent, fine):
    with contextlib.nullcontext() if fine else pytest.raises(json.JSONDecodeError):
        json_body.decode(sent)


async def test_named_origins_only(gateway, fakes):
    fakes.answers["Identity/Login"] = samples.session()
    preflight = {"access-control-request-method": "PATCH", "access-control-request-headers": "authorization"}
    reply = await gateway.anonymous.options("/api/v1/admin/users", headers=preflight | {"origin": OURS})
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == OURS
    assert "PATCH" in reply.headers["access-control-allow-methods"]
    evil = {"origin": "https://evil.example"}
    assert is_problem(
        await gateway.anonymous.options("/api/v1/admin/users", headers=preflight | evil), 403, "forbidden"
    )
    reply = await gateway.anonymous.get("/api/v1/auth/me", headers={"origin": OURS})
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (401, OURS)
    assert reply.headers["vary"] == "Origin"
    reply = await gateway.anonymous.get("/api/v1/auth/me", headers=evil)
    assert "access-control-allow-origin" not in reply.headers
    reply = await gateway.anonymous.post(
        "/api/v1/auth/login", content=b" " * 20_000, headers={"origin": OURS}
    )
    assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (413, OURS)


async def test_headers(gateway):
    reply = await gateway.anonymous.get("/api/v1/auth/me", headers={"x-request-id": "mine-1"})
    assert reply.headers["x-request-id"] == "mine-1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-store"
    assert "server" not in reply.headers
    assert "strict-transport-security" not in reply.headers
    reply = await gateway.anonymous.get("/api/v1/auth/me", headers={"x-request-id": 'bad"id'})
    assert len(reply.headers["x-request-id"]) == 32


async def test_the_trace_goes_on(gateway):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-00"}
    assert (await gateway.anonymous.get("/api/v1/auth/me", headers=headers)).json()["trace_id"] == trace


async def test_rates(run, fakes):
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    fakes.answers["Identity/GetMe"] = samples.user()
    answer = {"question_id": samples.QUESTION, "answer": "B", "revision": 1}
    save = {"student_exam_id": samples.ATTEMPT, **answer}
    many = {"student_exam_id": samples.ATTEMPT, "answers": [answer] * 200}
    async with run(rate_limits=True) as gateway:

        async def statuses(count, client, path, json=None):
            method = "POST" if json else "GET"
            return [(await client.request(method, path, json=json)).status_code for _ in range(count)]

        codes = await statuses(40, gateway.student, "/api/v1/student/save-answers", many)
        assert codes[:25] == [200] * 25
        assert codes[-1] == 429
        reply = await gateway.student.post("/api/v1/student/save-answers", json=many)
        assert is_problem(reply, 429, "rate_limited")
        assert int(reply.headers["retry-after"]) >= 1
        # Neither another student nor the own other requests pay for it.
        async with gateway.client("student") as other:
            assert await statuses(1, other, "/api/v1/student/save-answer", save) == [200]
        assert await statuses(1, gateway.student, "/api/v1/auth/me") == [200]


async def test_a_class_logs_in_together(run, fakes):
    fakes.answers["Identity/Login"] = samples.session()
    async with run(rate_limits=True) as gateway:

        async def login():
            return (await gateway.anonymous.post("/api/v1/auth/login", json=LOGIN)).status_code

        assert set(await asyncio.gather(*(login() for _ in range(100)))) == {200}


def test_failures_on_our_side_tell_nothing():
    error = AppError(Kind.INTERNAL, "boom", "SELECT secret", extra={"host": "10.0.0.7"})
    reply = problems.from_app_error(error)
    body = json.loads(reply.body)
    assert (reply.status_code, body["code"]) == (500, "internal")
    assert body.keys() == {"type", "title", "status", "detail", "code", "trace_id"}
    assert b"secret" not in reply.body


def test_further_members_never_hide_the_standard_ones():
    error = AppError(Kind.CONFLICT, "published", "No.", extra={"status": 1, "code": "x", "field": "title"})
    body = json.loads(problems.from_app_error(error).body)
    assert (body["status"], body["code"], body["field"]) == (409, "published", "title")


def test_buckets_fill_again():
    now = [0.0]
    buckets = Buckets("test", burst=2, rate=0.5, capacity=2, clock=lambda: now[0])
    buckets.take("a")
    buckets.take("a")
    with pytest.raises(AppError) as refused:
        buckets.take("a")
    assert refused.value.retry_after == 2.0
    now[0] = 2.0
    buckets.take("a")
    buckets.take("b")
    buckets.take("c")
    # The longest unused was forgotten, and begins anew.
    buckets.take("a")
    buckets.take("a")


def test_an_ipv6_network_is_one_client():
    limits = RateLimits(clock=lambda: 0.0)
    for number in range(300):
        limits.address("/login", f"2001:db8::{number:x}")
    with pytest.raises(AppError):
        limits.address("/login", "2001:db8::ffff")
    limits.address("/login", "2001:db8:0:1::1")


async def test_health(gateway):
    for path in ("/healthz", "/readyz"):
        assert (await gateway.anonymous.get(path)).json() == {"status": "ok"}
        assert (await gateway.anonymous.head(path)).status_code == 200
    assert is_problem(await gateway.anonymous.get("/metrics"), 404, "not_found")


async def test_docs_bring_their_own_assets(gateway, run):
    page = await gateway.anonymous.get("/api/v1/docs")
    assert page.status_code == 200
    assert "unsafe-inline" not in page.headers["content-security-policy"].split("script-src")[1].split(";")[0]
    assert "//" not in page.text.replace("<!doctype", "")
    for asset in ("init.js", "swagger-ui.css", "swagger-ui-bundle.js"):
        reply = await gateway.anonymous.get(f"/api/v1/docs/{asset}")
        assert reply.status_code == 200
        assert len(reply.content) > 100
    async with run(docs=False) as quiet:
        for path in ("docs", "docs/init.js", "openapi.json"):
            assert (await quiet.anonymous.get(f"/api/v1/{path}")).status_code == 404
        assert "/api/v1/docs" not in (await quiet.anonymous.get("/")).text


async def test_the_landing_page(gateway):
    reply = await gateway.anonymous.get("/")
    assert "/api/v1/docs" in reply.text
    assert "<script" not in reply.text
    assert (await gateway.anonymous.get("/landing.css")).headers["content-type"].startswith("text/css")


async def test_metrics_and_logs_hold_no_ids(gateway, fakes):
    fakes.answers["Attempts/Start"] = samples.attempt()
    path = f"/api/v1/student/start/{samples.EXAM}"
    with capture_logs() as lines:
        await gateway.student.post(path)
        # What goes well there is counted, and not logged: a class would be a thousand lines.
        assert not [line for line in lines if "start" in line["route"]]
        fakes.answers["Attempts/Start"] = conflict("attempt_limit", "No more attempts.")
        await gateway.student.post(path)
    labels = {"route": "/api/v1/student/start/{exam_id}", "method": "POST", "status": "201"}
    assert REGISTRY.get_sample_value("examhall_http_request_seconds_count", labels) >= 1
    assert samples.EXAM.encode() not in generate_latest(REGISTRY)
    (mine,) = (line for line in lines if "start" in line.get("route", ""))
    assert (mine["route"], mine["status"]) == ("/api/v1/student/start/{exam_id}", 409)
    assert samples.EXAM not in str(lines)
    assert gateway.student.headers["authorization"][10:40] not in str(lines)
