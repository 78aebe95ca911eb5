"""Queries on revocations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.domain.revocation import Revocation, SessionRevocation, UserRevocation
from auth_service.tables import revocations


async def insert(conn: AsyncConnection, entries: Sequence[Revocation]) -> None:
    if entries:
        await conn.execute(revocations.insert(), [_values(entry) for entry in entries])


async def written_since(
    conn: AsyncConnection, since: datetime | None, now: datetime
) -> tuple[list[Revocation], datetime]:
    """What was written from `since` on (all, for None) and is still in force, and the time of looking."""
    # Read first: what commits meanwhile has an earlier time, and is in the overlap of the next poll.
    looked = (await conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    query = sa.select(revocations).where(revocations.c.expires_at > now).order_by(revocations.c.id)
    if since is not None:
        query = query.where(revocations.c.written_at >= since)
    return [_entry(row) for row in await conn.execute(query)], looked


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
