"""The gRPC services as others see them: mutual TLS, allowlists, roles, errors, revocations by polling."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
import sqlalchemy as sa
from auth_service.bootstrap import build
from auth_service.consumers import RevocationFollower
from auth_service.domain.accounts import Role
from auth_service.settings import Settings
from auth_service.usecases.unit import Auth
from examkit.app import App
from examkit.errors import AppError
from examkit.identity import KeyDirectory
from examkit.paging import encode
from examkit.rpc.client import call, connect
from examkit.testing import FakeClock, eventually
from examkit.tls import TlsFiles
from examkit.tokens import TokenVerifier
from examkit.workers import Supervisor
from examprotos.auth.v1 import identity_pb2, keys_pb2, user_admin_pb2, users_pb2
from examprotos.auth.v1.identity_pb2_grpc import IdentityStub
from examprotos.auth.v1.keys_pb2_grpc import KeysStub
from examprotos.auth.v1.user_admin_pb2_grpc import UserAdminStub, UserImportStub
from examprotos.common.v1 import audit_pb2
from examprotos.common.v1.audit_pb2_grpc import AuditLogStub

from .conftest import PASSWORD, MakeUser

SECONDS = 10.0


@contextlib.asynccontextmanager
async def running(settings: Settings, clock: FakeClock) -> AsyncIterator[tuple[App, str]]:
    """One replica with what needs no broker."""
    async with build(settings, clock=clock) as app:
        supervisor = Supervisor([worker for worker in app.always if worker.name == "poll-revocations"])
        supervisor.start()
        assert app.rpc_server is not None
        port = await app.rpc_server.start()
        try:
            while await app.ready() is not True:
                await asyncio.sleep(0.01)
            yield app, f"127.0.0.1:{port}"
        finally:
            await app.rpc_server.stop(0)
            await supervisor.stop()


@pytest.fixture
async def target(settings: Settings, fake_clock: FakeClock, auth: Auth) -> AsyncIterator[str]:
    async with running(settings, fake_clock) as (_, address):
        yield address


@pytest.fixture
async def channel_as(
    target: str, certificates: Callable[[str], TlsFiles]
) -> AsyncIterator[Callable[[str], grpc.aio.Channel]]:
    channels: list[grpc.aio.Channel] = []

    def open_as(identity: str, address: str = target) -> grpc.aio.Channel:
        channels.append(connect(address, server="auth", tls=certificates(identity)))
        return channels[-1]

    yield open_as
    for channel in channels:
        await channel.close()


async def logged_in(channel: grpc.aio.Channel, email: str, password: str = PASSWORD) -> identity_pb2.Session:
    request = identity_pb2.LoginRequest(email=email, password=password, address="192.0.2.1")
    return await call(IdentityStub(channel).Login, request, timeout=SECONDS)


async def refused(method: Any, request: Any, **options: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        await call(method, request, timeout=SECONDS, **options)
    return caught.value


def _methods(channel: grpc.aio.Channel) -> dict[str, tuple[Any, Any]]:
    identity, admin = IdentityStub(channel), UserAdminStub(channel)
    admin_pb, me = user_admin_pb2, identity_pb2
    return {
        "Login": (identity.Login, me.LoginRequest()),
        "Refresh": (identity.Refresh, me.RefreshRequest()),
        "Logout": (identity.Logout, me.LogoutRequest()),
        "SetPassword": (identity.SetPassword, me.SetPasswordRequest()),
        "GetMe": (identity.GetMe, me.GetMeRequest()),
        "ChangePassword": (identity.ChangePassword, me.ChangePasswordRequest()),
        "ListUsers": (admin.ListUsers, admin_pb.ListUsersRequest()),
        "GetUser": (admin.GetUser, admin_pb.GetUserRequest()),
        "CreateUser": (admin.CreateUser, admin_pb.CreateUserRequest()),
        "UpdateUser": (admin.UpdateUser, admin_pb.UpdateUserRequest()),
        "BatchGetUsers": (admin.BatchGetUsers, admin_pb.BatchGetUsersRequest()),
        "FindUsers": (admin.FindUsers, admin_pb.FindUsersRequest()),
        "CountStudents": (admin.CountStudents, admin_pb.CountStudentsRequest()),
        "CreatePasswordLink": (admin.CreatePasswordLink, admin_pb.CreatePasswordLinkRequest()),
        "PutStudents": (UserImportStub(channel).PutStudents, admin_pb.PutStudentsRequest()),
        "GetJwks": (KeysStub(channel).GetJwks, keys_pb2.GetJwksRequest()),
        "ListRevocations": (KeysStub(channel).ListRevocations, keys_pb2.ListRevocationsRequest()),
        "AuditLog": (AuditLogStub(channel).List, audit_pb2.ListRequest()),
    }


OPEN = {"Login", "Refresh", "Logout", "SetPassword"}
OWN = {"GetMe", "ChangePassword"}
ADMIN = {
    "ListUsers",
    "GetUser",
    "CreateUser",
    "UpdateUser",
    "BatchGetUsers",
    "CountStudents",
    "FindUsers",
    "CreatePasswordLink",
    "AuditLog",
}
ALSO_FOR = {"BatchGetUsers": {"invigilator"}}
KEYS = {"GetJwks", "ListRevocations"}
MATRIX = {
    "gateway-student": OPEN | OWN | KEYS,
    "gateway-staff": OPEN | OWN | ADMIN | KEYS,
    "import": {"PutStudents"} | KEYS,
    "exam": KEYS,
    "grading": KEYS,
    "auth": set(),
    "operator": set(),
}


async def test_who_may_call_what(channel_as: Any, make_user: MakeUser) -> None:
    staff, tokens = channel_as("gateway-staff"), {"": ""}
    for one in Role:
        await make_user(f"{one}@example.com", role=one)
        tokens[one.value] = (await logged_in(staff, f"{one}@example.com")).access_token
    for caller, allowed in MATRIX.items():
        for name, (method, request) in _methods(channel_as(caller)).items():
            if name == "Logout" and name in allowed:
                continue  # it would end the sessions that the other calls need
            for role, token in tokens.items():
                try:
                    await call(method, request, timeout=SECONDS, token=token)
                    code = "ok"
                except AppError as error:
                    code = error.code
                # What the request itself lacks is told only to those who were let in.
                may = (
                    name in allowed
                    and (name not in OWN | ADMIN or role)
                    and (name not in ADMIN or role in {"admin"} | ALSO_FOR.get(name, set()))
                )
                expected = "unauthenticated" if name in allowed and not role else "forbidden"
                if not may:
                    assert code == expected, (caller, name, role, code)
                else:
                    assert code != "forbidden", (caller, name, role)


async def test_the_life_of_a_session(channel_as: Any, make_user: MakeUser) -> None:
    await make_user("ada@example.com", groups=("math",))
    identity = IdentityStub(channel_as("gateway-student"))
    session = await logged_in(channel_as("gateway-student"), "ada@example.com")
    assert (session.expires_in, session.user.email) == (1800, "ada@example.com")
    me = await call(identity.GetMe, identity_pb2.GetMeRequest(), timeout=SECONDS, token=session.access_token)
    assert (list(me.groups), me.role, me.has_password) == (["math"], users_pb2.ROLE_STUDENT, True)
    request = identity_pb2.RefreshRequest(refresh_token=session.refresh_token)
    renewed = await call(identity.Refresh, request, timeout=SECONDS)
    assert renewed.refresh_token != session.refresh_token
    await call(identity.Logout, identity_pb2.LogoutRequest(), timeout=SECONDS, token=renewed.access_token)
    gone = await refused(identity.GetMe, identity_pb2.GetMeRequest(), token=session.access_token)
    assert gone.code == "unauthenticated"


async def test_errors_travel_whole(channel_as: Any, make_user: MakeUser) -> None:
    await make_user("admin@example.com", role=Role.ADMIN)
    channel = channel_as("gateway-staff")
    token = (await logged_in(channel, "admin@example.com")).access_token
    admin = UserAdminStub(channel)
    error = await refused(admin.CreateUser, user_admin_pb2.CreateUserRequest(email="x"), token=token)
    assert (error.code, [field.loc for field in error.errors]) == ("invalid", [("email",), ("name",)])
    taken = user_admin_pb2.CreateUserRequest(email="ADMIN@example.com", name="A", role=users_pb2.ROLE_ADMIN)
    assert (await refused(admin.CreateUser, taken, token=token)).code == "email_taken"
    unknown = user_admin_pb2.GetUserRequest(id=str(uuid4()))
    assert (await refused(admin.GetUser, unknown, token=token)).code == "not_found"
    for _ in range(5):
        wrong = identity_pb2.LoginRequest(email="admin@example.com", password="x", address="192.0.2.1")
        await refused(IdentityStub(channel).Login, wrong)
    limited = await refused(IdentityStub(channel).Login, wrong)
    assert (limited.code, limited.retry_after) == ("rate_limited", 5.0)


async def test_create_change_and_join_names(channel_as: Any, make_user: MakeUser) -> None:
    await make_user("admin@example.com", role=Role.ADMIN)
    channel = channel_as("gateway-staff")
    token = (await logged_in(channel, "admin@example.com")).access_token
    admin = UserAdminStub(channel)

    async def ask(method: Any, request: Any) -> Any:
        return await call(method, request, timeout=SECONDS, token=token)

    made = await ask(admin.CreateUser, user_admin_pb2.CreateUserRequest(email="b@example.com", name="B"))
    assert (made.role, made.has_password) == (users_pb2.ROLE_STUDENT, False)
    link = await ask(admin.CreatePasswordLink, user_admin_pb2.CreatePasswordLinkRequest(user_id=made.id))
    request = identity_pb2.SetPasswordRequest(token=link.token, new_password=PASSWORD)
    await call(IdentityStub(channel).SetPassword, request, timeout=SECONDS)
    await logged_in(channel, "b@example.com")
    change = user_admin_pb2.UpdateUserRequest(id=made.id, groups=user_admin_pb2.Groups(names=["z", "a"]))
    assert list((await ask(admin.UpdateUser, change)).groups) == ["a", "z"]
    change = user_admin_pb2.UpdateUserRequest(id=made.id, groups=user_admin_pb2.Groups())
    assert list((await ask(admin.UpdateUser, change)).groups) == []
    ids = [made.id, str(uuid4()), "nonsense"]
    joined = await ask(admin.BatchGetUsers, user_admin_pb2.BatchGetUsersRequest(ids=ids))
    assert [user.name for user in joined.items] == ["B"]
    trail = await ask(AuditLogStub(channel).List, audit_pb2.ListRequest(object_id=made.id))
    assert "user.created" in [entry.action for entry in trail.items]


async def test_students_by_import(channel_as: Any) -> None:
    rows = [
        user_admin_pb2.StudentRow(
            row=2, email="new@example.com", name="New", groups=["a"], password=PASSWORD
        ),
        user_admin_pb2.StudentRow(row=3, email="nonsense", name="X"),
    ]
    channel = channel_as("import")
    answer = await call(
        UserImportStub(channel).PutStudents, user_admin_pb2.PutStudentsRequest(rows=rows), timeout=SECONDS
    )
    assert [(o.row, o.outcome, o.column) for o in answer.outcomes] == [
        (2, "created", ""),
        (3, "rejected", "email"),
    ]
    await logged_in(channel_as("gateway-student"), "new@example.com")


async def test_a_revocation_reaches_remembered_tokens_elsewhere(
    channel_as: Any, make_user: MakeUser, fake_clock: FakeClock
) -> None:
    """Another process's verifier, without any event, within its poll interval."""
    await make_user("ada@example.com")
    directory = KeyDirectory(channel_as("exam"), clock=fake_clock, poll_seconds=0.1)
    polling = asyncio.create_task(directory.run())
    try:
        await eventually(lambda: directory.ready)
        verifier = TokenVerifier(
            directory, directory.revocations, "examhall", "examhall-api", clock=fake_clock
        )
        channel = channel_as("gateway-student")
        session, other = [await logged_in(channel, "ada@example.com") for _ in range(2)]
        assert (await verifier.verify(session.access_token)).role == "student"
        await verifier.verify(other.access_token)
        logout = identity_pb2.LogoutRequest(refresh_token=session.refresh_token)
        await call(IdentityStub(channel).Logout, logout, timeout=SECONDS)

        async def ended() -> str | None:
            try:
                await verifier.verify(session.access_token)
            except AppError as error:
                return error.code
            return None

        assert await eventually(ended, timeout=5.0) == "unauthenticated"
        await verifier.verify(other.access_token)
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


async def test_polls_overlap_and_the_cursor_is_checked(channel_as: Any, make_user: MakeUser) -> None:
    await make_user("ada@example.com")
    keys = KeysStub(channel_as("exam"))
    empty = await call(keys.ListRevocations, keys_pb2.ListRevocationsRequest(), timeout=SECONDS)
    assert not empty.revocations
    session = await logged_in(channel_as("gateway-student"), "ada@example.com")
    logout = identity_pb2.LogoutRequest(refresh_token=session.refresh_token)
    await call(IdentityStub(channel_as("gateway-student")).Logout, logout, timeout=SECONDS)
    request = keys_pb2.ListRevocationsRequest(cursor=empty.cursor)
    first = await call(keys.ListRevocations, request, timeout=SECONDS)
    assert len(first.revocations) == 1
    end = await call(
        keys.ListRevocations, keys_pb2.ListRevocationsRequest(cursor=first.cursor), timeout=SECONDS
    )
    assert not end.revocations
    again = await call(
        keys.ListRevocations, keys_pb2.ListRevocationsRequest(cursor=end.cursor), timeout=SECONDS
    )
    assert list(again.revocations) == list(first.revocations)
    moment = "2026-01-01T00:00:00+00:00"
    for cursor in (
        "nonsense",
        encode("yesterday"),
        encode("0001-01-01T00:00:00"),
        encode(moment, moment),
        encode(moment, "yesterday", "1"),
        encode(moment, moment, "x"),
        encode(moment, moment, "9" * 30),
    ):
        wrong = await refused(keys.ListRevocations, keys_pb2.ListRevocationsRequest(cursor=cursor))
        assert wrong.code == "invalid"


@pytest.mark.parametrize("written_at", ["clock_timestamp()", "now() - interval '1 minute'"])
async def test_twelve_thousand_revocations_come_page_by_page(
    auth: Auth, another_auth: Auth, channel_as: Any, written_at: str
) -> None:
    """Written one after the other, and all in the same moment."""
    statement = f"""
        INSERT INTO revocations (session_id, code, written_at, expires_at)
        SELECT gen_random_uuid(), 'unauthenticated', {written_at}, '2100-01-01' FROM generate_series(1, 12000)
    """
    async with auth.db.transaction() as tx:
        await tx.conn.execute(sa.text(statement))
    keys, cursor, sizes, sessions = KeysStub(channel_as("exam")), "", [], set()
    while not sizes or sizes[-1]:
        request = keys_pb2.ListRevocationsRequest(cursor=cursor)
        page = await call(keys.ListRevocations, request, timeout=SECONDS)
        cursor = page.cursor
        sizes.append(len(page.revocations))
        sessions |= {one.session_id for one in page.revocations}
    assert (sizes, len(sessions)) == ([5000, 5000, 2000, 0], 12_000)

    follower = RevocationFollower(another_auth)
    await follower.poll()
    assert follower.caught_up
    assert len(another_auth.revocations) == 12_000

    directory = KeyDirectory(channel_as("grading"), clock=auth.clock, poll_seconds=60)
    polling = asyncio.create_task(directory.run())
    try:
        await eventually(lambda: directory.ready, timeout=SECONDS)
        assert len(directory.revocations) == 12_000
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)
