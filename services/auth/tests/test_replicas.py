"""A revocation as an event: from the use case through outbox and broker to another process."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from auth_service.consumers import RevocationFollower
from auth_service.revocation_messages import ACCESS_REVOKED
from auth_service.usecases.login import login
from auth_service.usecases.sessions import logout
from auth_service.usecases.unit import Auth
from examkit.errors import AppError
from examkit.messaging import Bus, LiveListener
from examkit.outbox import Relay
from examkit.testing import eventually
from examkit.tokens import TokenVerifier
from examkit.workers import Supervisor

from .conftest import PASSWORD, MakeUser


@pytest.fixture
async def bus(rabbitmq_url: str):
    made = Bus(rabbitmq_url)
    yield made
    await made.close()


async def test_an_event_ends_tokens_in_another_replica(
    auth: Auth, another_auth: Auth, make_user: MakeUser, bus: Bus
) -> None:
    await make_user()
    follower = RevocationFollower(another_auth)
    connected = asyncio.Event()
    # Without polling: what arrives came by the event.
    listener = LiveListener(bus, "auth", [ACCESS_REVOKED], follower.hear, on_connected=connected.set)
    supervisor = Supervisor([Relay(auth.db, bus, "auth"), listener])
    supervisor.start()
    try:
        async with asyncio.timeout(30):
            await connected.wait()
        granted = await login(auth, "ada@example.com", PASSWORD, "")
        elsewhere = TokenVerifier(
            another_auth.key_ring, another_auth.revocations, "examhall", "examhall-api", clock=auth.clock
        )
        await elsewhere.verify(granted.access_token)
        await logout(auth, None, granted.refresh_token)

        async def ended() -> bool:
            with contextlib.suppress(AppError):
                await elsewhere.verify(granted.access_token)
                return False
            return True

        await eventually(ended, timeout=10)
    finally:
        await supervisor.stop()


async def test_a_replica_that_starts_late_knows_what_ended_before(
    auth: Auth, another_auth: Auth, make_user: MakeUser
) -> None:
    await make_user()
    granted = await login(auth, "ada@example.com", PASSWORD, "")
    await logout(auth, None, granted.refresh_token)
    follower = RevocationFollower(another_auth)
    assert not follower.caught_up
    await follower.poll()
    assert follower.caught_up
    assert len(another_auth.revocations) == 1
