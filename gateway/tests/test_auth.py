"""Logging in, cookies, origins, and tokens that end before their time."""

import asyncio
import uuid

import gateway_samples as samples
import httpx
import pytest
from examkit.errors import unauthenticated
from examkit.testing import eventually
from examprotos.auth.v1 import identity_pb2, keys_pb2
from google.protobuf.timestamp_pb2 import Timestamp

AUTH = "/api/v1/auth"
LOGIN = {"email": "ada@example.com", "password": "a demo password"}
OURS = "https://exams.example.org"


async def test_login(gateway, fakes):
    fakes.answers["Identity/Login"] = samples.session()
    reply = await gateway.anonymous.post(f"{AUTH}/login", json=LOGIN)
    assert reply.status_code == 200
    body = reply.json()
    assert body == {
        "access_token": "a.b.c",
        "token_type": "bearer",
        "expires_in": 1800,
        "user": {
            "id": samples.STUDENT,
            "email": "ada@example.com",
            "name": "Ada",
            "role": "student",
            "groups": ["class-a"],
        },
    }
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("refresh_token=r1;")
    for part in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth", "Max-Age=86400"):
        assert part in cookie
    assert "Secure" not in cookie
    assert fakes.asked("Identity/Login").address == "127.0.0.1"
    assert "r1" not in reply.text


async def test_login_refused(gateway, fakes):
    fakes.answers["Identity/Login"] = unauthenticated("Wrong.", "invalid_credentials")
    reply = await gateway.anonymous.post(f"{AUTH}/login", json=LOGIN)
    assert (reply.status_code, reply.json()["code"]) == (401, "invalid_credentials")
    assert "set-cookie" not in reply.headers
    for wrong in (
        {},
        {"email": 5, "password": "x"},
        {**LOGIN, "remember": True},
        {"email": "a\0", "password": "x"},
    ):
        assert (await gateway.anonymous.post(f"{AUTH}/login", json=wrong)).status_code == 422


async def test_secure_cookies_and_transport(run, fakes):
    fakes.answers["Identity/Login"] = samples.session()
    async with run(cookie_secure=True, trusted_proxies=1) as gateway:
        headers = {"x-forwarded-for": "6.6.6.6, 10.1.2.3"}
        reply = await gateway.anonymous.post(f"{AUTH}/login", json=LOGIN, headers=headers)
        assert "Secure" in reply.headers["set-cookie"]
        assert "max-age" in reply.headers["strict-transport-security"]
        assert fakes.asked("Identity/Login").address == "10.1.2.3"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": OURS}, 200),
        ({"origin": "http://testhost:80", "host": "testhost"}, 200),
        ({"origin": "http://testhost", "host": "other"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
async def test_refresh_looks_at_the_origin(gateway, fakes, headers, status):
    fakes.answers["Identity/Refresh"] = samples.session()
    reply = await gateway.anonymous.post(f"{AUTH}/refresh", headers={"cookie": "refresh_token=r0", **headers})
    assert reply.status_code == status
    if status == 200:
        assert fakes.asked("Identity/Refresh").refresh_token == "r0"
        assert reply.headers["set-cookie"].startswith("refresh_token=r1;")
    else:
        assert reply.json()["code"] == "forbidden"


async def test_refresh_without_or_with_a_used_token(gateway, fakes):
    reply = await gateway.anonymous.post(f"{AUTH}/refresh")
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    fakes.answers["Identity/Refresh"] = unauthenticated("Used.", "refresh_reused")
    reply = await gateway.anonymous.post(f"{AUTH}/refresh", headers={"cookie": "refresh_token=r0"})
    assert (reply.status_code, reply.json()["code"]) == (401, "refresh_reused")


async def test_logout(gateway, fakes):
    fakes.answers["Identity/Logout"] = identity_pb2.LogoutResponse()
    reply = await gateway.student.post(f"{AUTH}/logout")
    assert reply.status_code == 204
    assert 'refresh_token=""' in reply.headers["set-cookie"]
    assert fakes.calls[-1].token is not None
    expired = gateway.client("student", life=-5)
    cookie = {"cookie": "refresh_token=r0"}
    assert (await expired.post(f"{AUTH}/logout")).status_code == 401
    assert (await expired.post(f"{AUTH}/logout", headers=cookie)).status_code == 204
    assert fakes.calls[-1].token is None
    assert (
        await expired.post(f"{AUTH}/logout", headers=cookie | {"origin": "https://evil.example"})
    ).status_code == 403
    await expired.aclose()


async def test_the_own_account(gateway, fakes):
    fakes.answers["Identity/GetMe"] = samples.user()
    assert (await gateway.student.get(f"{AUTH}/me")).json()["name"] == "Ada"
    fakes.answers["Identity/ChangePassword"] = samples.session()
    change = {"current_password": "old", "new_password": "new and longer"}
    reply = await gateway.student.post(f"{AUTH}/password", json=change)
    assert reply.json()["access_token"] == "a.b.c"
    fakes.answers["Identity/SetPassword"] = identity_pb2.SetPasswordResponse()
    reply = await gateway.anonymous.post(f"{AUTH}/password/set", json={"token": "t", "new_password": "n"})
    assert reply.status_code == 204


async def test_public_keys(gateway):
    reply = await gateway.anonymous.get("/.well-known/jwks.json")
    assert reply.json()["keys"][0]["crv"] == "Ed25519"
    assert "max-age" in reply.headers["cache-control"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "ä", "Basic abc"])
async def test_tokens_that_are_none(gateway, token):
    value = token if token.startswith("Basic") else f"Bearer {token}"
    reply = await gateway.anonymous.get(f"{AUTH}/me", headers={"authorization": value.encode("latin-1")})
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"] == "Bearer"


async def test_expired_tokens_say_so(gateway):
    async with gateway.client("student", life=-5) as client:
        assert (await client.get(f"{AUTH}/me")).json()["code"] == "token_expired"


def ended(session):
    expires = Timestamp()
    expires.FromSeconds(4_000_000_000)
    return keys_pb2.Revocation(session_id=str(session), expires_at=expires, code="unauthenticated")


async def test_revoked_tokens_end_within_seconds(gateway, fakes):
    fakes.answers["Identity/GetMe"] = samples.user()
    session = uuid.uuid4()
    async with gateway.client("student", session=session) as client:
        assert (await client.get(f"{AUTH}/me")).status_code == 200
        fakes.revocations.append(ended(session))

        async def refused():
            return (await client.get(f"{AUTH}/me")).status_code == 401

        await eventually(refused, timeout=10)


async def test_streams_end_with_the_token(gateway, fakes):
    hold, left = asyncio.Event(), asyncio.Event()

    async def endless():
        try:
            yield samples.job()
            await hold.wait()
        finally:
            left.set()

    session = uuid.uuid4()
    fakes.answers["Imports/GetJob"] = samples.job()
    fakes.answers["Imports/WatchJob"] = lambda _: endless()
    async with gateway.client("admin", session=session) as client:
        path = f"/api/v1/admin/imports/{samples.JOB}/events"
        async with asyncio.timeout(10), client.stream("GET", path) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream")
            lines = reply.aiter_lines()
            assert await anext(lines) == "event: job"
            assert '"processed_rows":5' in await anext(lines)
            fakes.revocations.append(ended(session))
            rest = [line async for line in lines]
        assert "event: problem" in rest
        assert any('"code":"unauthenticated"' in line for line in rest)
    await asyncio.wait_for(left.wait(), 5)


async def test_nobody_is_watched_for(gateway, fakes):
    hold, left = asyncio.Event(), asyncio.Event()

    async def endless():
        try:
            yield samples.job()
            await hold.wait()
        finally:
            left.set()

    fakes.answers["Imports/GetJob"] = samples.job()
    fakes.answers["Imports/WatchJob"] = lambda _: endless()
    async with gateway.admin.stream("GET", f"/api/v1/admin/imports/{samples.JOB}/events") as reply:
        assert await anext(reply.aiter_lines()) == "event: job"
    await asyncio.wait_for(left.wait(), 5)


async def test_streams_end_with_the_job_and_with_trouble(gateway, fakes):
    async def short():
        yield samples.job()
        yield samples.job("completed")

    path = f"/api/v1/admin/imports/{samples.JOB}/events"
    fakes.answers["Imports/GetJob"] = samples.job()
    fakes.answers["Imports/WatchJob"] = lambda _: short()
    text = (await gateway.admin.get(path)).text
    assert text.count("event: job\n") == 2
    assert '"status":"completed"' in text
    fakes.downs.add("import")
    reply = await gateway.admin.get(path)
    assert reply.status_code == 503
    fakes.downs.clear()
    fakes.answers["Imports/WatchJob"] = unauthenticated("No more.")
    assert "event: problem" in (await gateway.admin.get(path)).text


async def test_streams_end_when_the_process_stops(run, fakes):
    hold = asyncio.Event()

    async def endless():
        yield samples.job()
        await hold.wait()

    fakes.answers["Imports/GetJob"] = samples.job()
    fakes.answers["Imports/WatchJob"] = lambda _: endless()
    async with run() as gateway:
        path = f"/api/v1/admin/imports/{samples.JOB}/events"
        async with asyncio.timeout(10), gateway.admin.stream("GET", path) as reply:
            lines = reply.aiter_lines()
            await anext(lines)
            gateway.gateway.live.stop()
            assert [line async for line in lines][-1] == ""
    hold.set()


async def test_only_the_named_surface_is_served(run, fakes, certificates):
    async with run(surfaces=("student",), identities={"student": certificates("gateway-student")}) as gateway:
        assert (await gateway.admin.get("/api/v1/admin/exams")).status_code == 404
        document = (await gateway.anonymous.get("/api/v1/openapi.json")).json()
        assert not [path for path in document["paths"] if "/admin/" in path]
        fakes.answers["Identity/Login"] = samples.session()
        assert (await gateway.anonymous.post(f"{AUTH}/login", json=LOGIN)).status_code == 200
        assert fakes.calls[-1].caller == "gateway-student"


async def test_it_waits_for_what_it_needs(run, services):
    async with run(import_target=services.addresses["import"]) as gateway:
        assert isinstance(gateway.anonymous, httpx.AsyncClient)
        assert await gateway.gateway.ready() is None
