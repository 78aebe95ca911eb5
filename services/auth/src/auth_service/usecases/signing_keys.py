"""Rotating the signing keys: published first, signing later, forgotten when no token needs them."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from examkit.audit import AuditEntry
from examkit.clock import Clock
from examkit.db import Database, Tx

from auth_service.domain.key_schedule import KeyTimes, dead_keys, is_due, upcoming
from auth_service.repository import signing_keys
from auth_service.repository.signing_keys import StoredKey
from auth_service.sealing import Seal


async def keep_rotating(
    db: Database, seal: Seal, clock: Clock, *, every: timedelta, lead: timedelta, token_life: timedelta
) -> KeyTimes | None:
    """Publish a key when one is due (the first one ever at once), and forget dead ones.

    Returns the new key, if any.
    """
    async with db.transaction() as tx:
        await signing_keys.lock(tx.conn)
        now = clock()
        keys = [key.times for key in await signing_keys.all_keys(tx.conn)]
        dead = dead_keys(keys, now, token_life)
        if dead:
            await signing_keys.delete(tx.conn, [key.kid for key in dead])
            for key in dead:
                await _audit(tx, "signing_key.removed", key.kid)
        if not is_due(keys, now, every, lead):
            return None
        return await _publish(tx, seal, now, now + lead if keys else now)


async def rotate_now(db: Database, seal: Seal, clock: Clock, *, lead: timedelta) -> KeyTimes | None:
    """Publish the next key, which signs after `lead`. None where one is on its way already."""
    async with db.transaction() as tx:
        await signing_keys.lock(tx.conn)
        now = clock()
        keys = [key.times for key in await signing_keys.all_keys(tx.conn)]
        if upcoming(keys, now):
            return None
        return await _publish(tx, seal, now, now + lead if keys else now)


async def _publish(tx: Tx, seal: Seal, now: datetime, signs_from: datetime) -> KeyTimes:
    private = Ed25519PrivateKey.generate()
    times = KeyTimes(secrets.token_urlsafe(12), now, signs_from)
    sealed = seal.close(times.kid, private)
    await signing_keys.insert(tx.conn, StoredKey(times, private.public_key().public_bytes_raw(), sealed))
    await _audit(tx, "signing_key.published", times.kid, signs_from)
    return times


async def _audit(tx: Tx, action: str, kid: str, signs_from: datetime | None = None) -> None:
    await tx.audit(
        AuditEntry(
            actor_id="auth",
            actor_kind="service",
            action=action,
            object_type="signing_key",
            object_id=kid,
            after=None if signs_from is None else {"signs_from": signs_from.isoformat()},
        )
    )
