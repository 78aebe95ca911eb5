"""Keys and revocations as fetched from auth over mutual TLS: at start, by polling, and when auth is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from examkit.errors import AppError, Kind
from examkit.identity import KeyDirectory
from examkit.ids import uuid7
from examkit.principal import Principal
from examkit.revocations import Revocations
from examkit.rpc.client import connect
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examprotos.auth.v1 import events_pb2, keys_pb2, keys_pb2_grpc
from fake_auth import FAR, FakeAuth


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def auth(signer: Any) -> FakeAuth:
    return FakeAuth(signer)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def directory(pki: Any, auth: FakeAuth, ticks: Ticks) -> AsyncIterator[KeyDirectory]:
    class NoTokens:
        async def verify(self, token: str) -> Principal:
            raise AssertionError("calls to Keys carry no token")

    policies = {"examhall.auth.v1.Keys": allow("exam")}
    server = RpcServer("127.0.0.1:0", pki.files("auth"), policies, NoTokens())
    keys_pb2_grpc.add_KeysServicer_to_server(auth, server.grpc)
    port = await server.start()
    channel = connect(f"127.0.0.1:{port}", server="auth", tls=pki.files("exam"))
    yield KeyDirectory(channel, poll_seconds=0.02, monotonic=ticks)
    await channel.close()
    await server.stop(0.0)


@asynccontextmanager
async def running(directory: KeyDirectory) -> AsyncIterator[None]:
    task = asyncio.create_task(directory.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10.0):
        while not condition():
            await asyncio.sleep(0.005)


def of_user(user_id: Any, version: int, code: str) -> keys_pb2.Revocation:
    user = keys_pb2.UserRevocation(user_id=str(user_id), min_token_version=version)
    return keys_pb2.Revocation(user=user, expires_at=FAR, code=code)


def verifier_of(directory: KeyDirectory) -> TokenVerifier:
    return TokenVerifier(directory, directory.revocations, "examhall", "examhall-api")


async def test_it_loads_keys_and_revocations_and_then_is_ready(
    directory: KeyDirectory, auth: FakeAuth, signer: Any
) -> None:
    session_id = uuid7()
    auth.revocations.append(keys_pb2.Revocation(session_id=str(session_id), expires_at=FAR))
    assert not directory.ready
    async with running(directory):
        await until(lambda: directory.ready)
    verifier = verifier_of(directory)
    await verifier.verify(signer.token())
    with pytest.raises(AppError) as caught:
        await verifier.verify(signer.token(session_id=session_id))
    assert caught.value.code == "unauthenticated"


async def test_it_starts_without_auth_and_is_ready_once_auth_is_there(
    directory: KeyDirectory, auth: FakeAuth
) -> None:
    auth.fails = True
    async with running(directory):
        await until(lambda: auth.key_calls >= 2)
        assert not directory.ready
        auth.fails = False
        await until(lambda: directory.ready)


async def test_without_any_key_a_token_is_neither_good_nor_bad(
    directory: KeyDirectory, auth: FakeAuth, signer: Any
) -> None:
    auth.fails = True
    for _ in range(3):
        with pytest.raises(AppError) as caught:
            await verifier_of(directory).verify(signer.token())
        assert caught.value.kind is Kind.UNAVAILABLE
    assert auth.key_calls == 1


async def test_polling_brings_revocations_with_their_code(
    directory: KeyDirectory, auth: FakeAuth, signer: Any
) -> None:
    user_id = uuid7()
    token = signer.token(user_id=user_id, version=1)
    verifier = verifier_of(directory)
    async with running(directory):
        await until(lambda: directory.ready)
        principal = await verifier.verify(token)
        auth.revocations.append(of_user(user_id, 2, "token_expired"))
        await until(lambda: directory.is_revoked(principal))
        # An answer that held something is followed by another question.
        await until(lambda: "1" in auth.cursors)
    with pytest.raises(AppError) as caught:
        await verifier.verify(token)
    assert caught.value.code == "token_expired"
    assert list(dict.fromkeys(auth.cursors)) == ["", "0", "1"]


async def test_it_is_ready_when_every_page_has_come(directory: KeyDirectory, auth: FakeAuth) -> None:
    auth.revocations = [of_user(uuid7(), 2, "unauthenticated") for _ in range(12)]
    auth.page, auth.breaks_at = 5, "10"
    async with running(directory):
        await until(lambda: directory.ready)
        assert len(directory.revocations) == 12
    # What broke off goes on where it was.
    assert auth.cursors[:5] == ["", "5", "10", "10", "12"]


async def test_a_failed_poll_keeps_what_is_known(
    directory: KeyDirectory, auth: FakeAuth, signer: Any, ticks: Ticks
) -> None:
    async with running(directory):
        await until(lambda: directory.ready)
        auth.fails = True
        ticks.now += 3600
        polls = len(auth.cursors)
        await until(lambda: len(auth.cursors) > polls + 1)
        assert directory.ready
        await verifier_of(directory).verify(signer.token())


async def test_keys_are_refreshed_when_due(
    directory: KeyDirectory, auth: FakeAuth, ticks: Ticks, signer: Any
) -> None:
    async with running(directory):
        await until(lambda: directory.ready)
        polls = len(auth.cursors)
        await until(lambda: len(auth.cursors) > polls + 1)
        assert auth.key_calls == 1
        ticks.now += 61
        await until(lambda: auth.key_calls == 2)


async def test_a_new_key_is_found_and_unknown_ones_are_asked_for_rarely(
    directory: KeyDirectory, auth: FakeAuth, signer: Any, ticks: Ticks
) -> None:
    assert await directory.key("k1") is not None
    ticks.now += 11
    new = type(signer)(kid="k2")
    auth.signers.append(new)
    verifier = verifier_of(directory)
    await asyncio.gather(*(verifier.verify(new.token()) for _ in range(20)))
    assert auth.key_calls == 2
    for kid in ("k3", "k4", "k5"):
        assert await directory.key(kid) is None
    assert auth.key_calls == 2
    ticks.now += 11
    assert await directory.key("k3") is None
    assert auth.key_calls == 3


async def test_an_unknown_key_while_auth_is_away_may_be_a_good_one(
    directory: KeyDirectory, auth: FakeAuth, ticks: Ticks
) -> None:
    assert await directory.key("k1") is not None
    ticks.now += 11
    auth.fails = True
    for _ in range(2):
        with pytest.raises(AppError) as caught:
            await directory.key("k2")
        assert caught.value.kind is Kind.UNAVAILABLE
    assert await directory.key("k1") is not None


async def test_a_caller_who_goes_away_does_not_spoil_the_lookup(
    directory: KeyDirectory, auth: FakeAuth
) -> None:
    impatient = asyncio.create_task(directory.key("k1"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await directory.key("k1") is not None
    assert auth.key_calls == 1


async def test_an_event_is_applied_at_once(directory: KeyDirectory) -> None:
    user_id = uuid7()
    principal = Principal(user_id, "student", frozenset(), uuid7(), 1, 9e9)
    assert not directory.is_revoked(principal)
    directory.apply(events_pb2.AccessRevoked(revocation=of_user(user_id, 2, "unauthenticated")))
    assert directory.is_revoked(principal)


def test_a_revocation_without_a_code_ends_the_session() -> None:
    revocations = Revocations()
    principal = Principal(uuid7(), "student", frozenset(), uuid7(), 1, 9e9)
    revocations.apply(keys_pb2.Revocation(session_id=str(principal.session_id), expires_at=FAR))
    assert revocations.reason(principal) == "unauthenticated"
