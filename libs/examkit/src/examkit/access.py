"""Who may be let in, as a service learns it from auth: by asking, by polling, and at once by events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
from examprotos.auth.v1 import events_pb2

from examkit.db import Database
from examkit.events import Delivery
from examkit.identity import KeyDirectory
from examkit.messaging import Bus, LiveListener
from examkit.rpc.client import connect
from examkit.settings import ServiceSettings
from examkit.tokens import TokenVerifier
from examkit.workers import Worker

ACCESS_REVOKED = "examhall.auth.access.revoked.v1"


@dataclass(frozen=True)
class Access:
    """A service's line to auth (`channel`), what it knows by it, and what judges tokens by that.

    `workers` keep it fresh: they belong into `App.always`.
    """

    channel: grpc.aio.Channel
    directory: KeyDirectory
    verifier: TokenVerifier
    workers: tuple[Worker, ...]

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: ServiceSettings, bus: Bus, service: str) -> AsyncIterator[Access]:
        """For the service of this name; the channel is closed on exit. Nothing connects yet."""
        channel = connect(settings.auth_target, server="auth", tls=settings.tls)
        directory = KeyDirectory(channel)

        def revoked(delivery: Delivery) -> None:
            directory.apply(delivery.parse(events_pb2.AccessRevoked))

        listener = LiveListener(bus, service, [ACCESS_REVOKED], revoked)
        verifier = TokenVerifier(
            directory, directory.revocations, settings.token_issuer, settings.token_audience
        )
        try:
            yield cls(channel, directory, verifier, (directory, listener))
        finally:
            await channel.close()

    async def ready(self, db: Database) -> bool | str:
        """For `App.ready`: whether tokens can be judged and Postgres answers; else what is waited for."""
        if not self.directory.ready:
            return "waiting for auth"
        await db.ping()
        return True
