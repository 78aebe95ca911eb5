"""A service's line to auth as a whole: over real gRPC, and with revocations from a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from event_rooms import running
from examkit.access import ACCESS_REVOKED, Access
from examkit.db import Database
from examkit.errors import AppError
from examkit.events import Envelope, Event
from examkit.ids import uuid7
from examkit.messaging import Bus
from examkit.principal import Principal
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.settings import ServiceSettings
from examkit.testing import TestDatabase, eventually
from examprotos.auth.v1 import events_pb2, keys_pb2, keys_pb2_grpc
from fake_auth import FAR, FakeAuth


class NoTokens:
    async def verify(self, token: str) -> Principal:
        raise AssertionError("calls to Keys carry no token")


@pytest.fixture
async def auth(pki: Any, signer: Any) -> AsyncIterator[str]:
    """Where an auth is that has revoked nothing."""
    policies = {"examhall.auth.v1.Keys": allow("sample")}
    server = RpcServer("127.0.0.1:0", pki.files("auth"), policies, NoTokens())
    keys_pb2_grpc.add_KeysServicer_to_server(FakeAuth(signer), server.grpc)
    yield f"127.0.0.1:{await server.start()}"
    await server.stop(0.0)


@asynccontextmanager
async def opened(pki: Any, sample: TestDatabase, bus: Bus, auth: str) -> AsyncIterator[Access]:
    settings = ServiceSettings(
        database_url=sample.serve_dsn,
        db_schema="sample",
        rabbitmq_url="amqp://the.bus.is.given",
        tls=pki.files("sample"),
        auth_target=auth,
    )
    async with Access.open(settings, bus, "sample") as access:
        yield access


async def test_it_is_ready_when_auth_was_heard_and_postgres_answers(
    pki: Any, sample: TestDatabase, db: Database, bus: Bus, auth: str, signer: Any
) -> None:
    async with opened(pki, sample, bus, auth) as access:
        assert await access.ready(db) == "waiting for auth"
        async with running(*access.workers):
            await eventually(lambda: access.directory.ready)
            assert await access.ready(db) is True
        user_id = uuid7()
        assert (await access.verifier.verify(signer.token(user_id=user_id))).user_id == user_id
    assert access.channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def test_a_revocation_comes_by_event(
    pki: Any, sample: TestDatabase, bus: Bus, auth: str, signer: Any
) -> None:
    session_id = uuid7()
    token = signer.token(session_id=session_id)
    revocation = keys_pb2.Revocation(session_id=str(session_id), expires_at=FAR)
    event = Event(ACCESS_REVOKED, str(session_id), events_pb2.AccessRevoked(revocation=revocation))

    async def is_heard() -> bool:
        # Nobody hears it before the listener has bound its queue.
        return await bus.publish_all([Envelope.of(event, "/examhall/auth")], mandatory=[event.type]) == [None]

    async with opened(pki, sample, bus, auth) as access, running(*access.workers):
        await eventually(lambda: access.directory.ready)
        principal = await access.verifier.verify(token)
        await eventually(is_heard)
        # Auth itself tells nothing of it when polled.
        await eventually(lambda: access.directory.is_revoked(principal))
        with pytest.raises(AppError, match="unauthenticated"):
            await access.verifier.verify(token)
