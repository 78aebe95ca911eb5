"""Queries on signing keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.domain.key_schedule import KeyTimes
from auth_service.tables import signing_keys

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('examhall.auth.signing_keys', 0))")


@dataclass(frozen=True)
class StoredKey:
    """A signing key as it lies in the database: the private half sealed."""

    times: KeyTimes
    public_key: bytes
    sealed_private_key: bytes


async def lock(conn: AsyncConnection) -> None:
    """One replica at a time decides on keys, until the end of its transaction."""
    await conn.execute(_LOCK)


async def all_keys(conn: AsyncConnection) -> list[StoredKey]:
    rows = await conn.execute(sa.select(signing_keys).order_by(signing_keys.c.signs_from))
    return [
        StoredKey(KeyTimes(row.kid, row.created_at, row.signs_from), row.public_key, row.sealed_private_key)
        for row in rows
    ]


async def insert(conn: AsyncConnection, key: StoredKey) -> None:
    await conn.execute(
        signing_keys.insert().values(
            kid=key.times.kid,
            public_key=key.public_key,
            sealed_private_key=key.sealed_private_key,
            created_at=key.times.created_at,
            signs_from=key.times.signs_from,
        )
    )


async def delete(conn: AsyncConnection, kids: Collection[str]) -> None:
    await conn.execute(signing_keys.delete().where(signing_keys.c.kid.in_(list(kids))))
