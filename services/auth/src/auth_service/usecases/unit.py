"""What use cases work with, and the unit of work of one: change, revocations and audit commit together."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.clock import Clock
from examkit.db import Database, Tx
from examkit.revocations import Revocations
from examkit.rpc.context import current_caller, maybe_user
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service import metrics
from auth_service.domain.key_schedule import CLOCK_MARGIN
from auth_service.domain.refreshing import Lifetimes
from auth_service.domain.revocation import Revocation
from auth_service.hashing import PasswordHashing
from auth_service.key_ring import KeyRing
from auth_service.repository import revocations as revocations_table
from auth_service.revocation_messages import to_event, to_message
from auth_service.turns import Turns


@dataclass(frozen=True)
class Auth:
    """Everything a use case needs, joined in bootstrap."""

    db: Database
    clock: Clock
    hashing: PasswordHashing
    key_ring: KeyRing
    revocations: Revocations
    lifetimes: Lifetimes
    refresh_secret: bytes = field(repr=False)
    turns: Turns = field(default_factory=Turns)
    random_bytes: Callable[[int], bytes] = os.urandom

    @asynccontextmanager
    async def changing(self, *, actor_id: UUID | None = None) -> AsyncIterator[Unit]:
        """A transaction at one moment of the clock. After the commit its revocations hold here at once.

        `actor_id`: who acts, where the call itself names no user (a login).
        """
        async with self.db.transaction() as tx:
            unit = Unit(tx, self.clock(), self.lifetimes, actor_id)
            yield unit
        for entry in unit.revoked:
            self.revocations.apply(to_message(entry))


class Unit:
    """One use case's transaction."""

    def __init__(self, tx: Tx, now: datetime, lifetimes: Lifetimes, actor_id: UUID | None) -> None:
        self.conn: AsyncConnection = tx.conn
        self.now = now
        self.revoked: list[Revocation] = []
        self._tx = tx
        self._lifetimes = lifetimes
        self._actor_id = actor_id

    @property
    def dead_by(self) -> datetime:
        """After this moment no access token that was given until now is alive, on anyone's clock."""
        return self.now + self._lifetimes.access + CLOCK_MARGIN

    @property
    def alive_since(self) -> datetime:
        """Access tokens given before this moment are dead, on anyone's clock."""
        return self.now - self._lifetimes.access - CLOCK_MARGIN

    async def revoke(self, *entries: Revocation) -> None:
        """Write revocations, and have every process told."""
        await revocations_table.insert(self.conn, entries)
        for entry in entries:
            self._tx.publish(to_event(entry))
            metrics.revocations_written.labels(entry.code).inc()
        self.revoked.extend(entries)

    async def audit(
        self,
        action: str,
        object_type: str,
        object_id: UUID | str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> None:
        """Who: the signed-in user, else the person named at the start, else the calling service."""
        user = maybe_user()
        actor = user.user_id if user is not None else self._actor_id
        await self._tx.audit(
            AuditEntry(
                actor_id=actor or current_caller() or None,
                actor_kind="service" if actor is None else "user",
                action=action,
                object_type=object_type,
                object_id=object_id,
                before=before,
                after=after,
                reason=reason,
            )
        )
