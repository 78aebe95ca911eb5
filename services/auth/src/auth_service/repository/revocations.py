"""Queries on revocations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.domain.revocation import Revocation, SessionRevocation, UserRevocation
from auth_service.tables import revocations


class Place(NamedTuple):
    """Where a revocation stands in the order of writing."""

    written_at: datetime
    id: int


async def insert(conn: AsyncConnection, entries: Sequence[Revocation]) -> None:
    if entries:
        await conn.execute(revocations.insert(), [_values(entry) for entry in entries])


async def current_time(conn: AsyncConnection) -> datetime:
    """By the clock that `written_at` is told by."""
    moment: datetime = (await conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return moment


async def written_between(
    conn: AsyncConnection, after: Place, until: datetime, *, in_force_at: datetime, limit: int
) -> tuple[list[Revocation], Place]:
    """In the order of writing, what is still in force, and the place of the last one (`after` if none is)."""
    query = (
        sa.select(revocations)
        .where(
            sa.tuple_(revocations.c.written_at, revocations.c.id) > after,
            revocations.c.written_at <= until,
            revocations.c.expires_at > in_force_at,
        )
        .order_by(revocations.c.written_at, revocations.c.id)
        .limit(limit)
    )
    rows = (await conn.execute(query)).all()
    return [_entry(row) for row in rows], Place(rows[-1].written_at, rows[-1].id) if rows else after


async def drop_expired(conn: AsyncConnection, now: datetime) -> None:
    await conn.execute(revocations.delete().where(revocations.c.expires_at <= now))


def _values(entry: Revocation) -> dict[str, Any]:
    values: dict[str, Any] = {"session_id": None, "user_id": None, "min_token_version": None}
    if isinstance(entry, SessionRevocation):
        values["session_id"] = entry.session_id
    else:
        values |= {"user_id": entry.user_id, "min_token_version": entry.min_token_version}
    return values | {"code": entry.code, "expires_at": entry.expires_at}


def _entry(row: sa.Row[Any]) -> Revocation:
    if row.session_id is not None:
        return SessionRevocation(row.session_id, row.code, row.expires_at)
    return UserRevocation(row.user_id, row.min_token_version, row.code, row.expires_at)
