"""Queries on passwords and the links that set them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.tables import credentials, password_links


async def password_hash(conn: AsyncConnection, user_id: UUID) -> str | None:
    query = sa.select(credentials.c.password_hash).where(credentials.c.user_id == user_id)
    return (await conn.execute(query)).scalar_one_or_none()


async def put(conn: AsyncConnection, hashes: Mapping[UUID, str], now: datetime) -> None:
    """Set people's passwords."""
    if not hashes:
        return
    values = [
        {"user_id": user_id, "password_hash": stored, "changed_at": now} for user_id, stored in hashes.items()
    ]
    statement = pg.insert(credentials).values(values)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=[credentials.c.user_id],
            set_={
                "password_hash": statement.excluded.password_hash,
                "changed_at": statement.excluded.changed_at,
            },
        )
    )


async def put_link(
    conn: AsyncConnection, user_id: UUID, digest: bytes, now: datetime, expires_at: datetime
) -> None:
    """The one link of this person from now on."""
    statement = pg.insert(password_links).values(
        user_id=user_id, token_digest=digest, created_at=now, expires_at=expires_at
    )
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=[password_links.c.user_id],
            set_={"token_digest": digest, "created_at": now, "expires_at": expires_at},
        )
    )


async def link_owner(conn: AsyncConnection, digest: bytes, now: datetime) -> UUID | None:
    """Whose link this is, if it can still be used."""
    query = sa.select(password_links.c.user_id).where(
        password_links.c.token_digest == digest, password_links.c.expires_at > now
    )
    return (await conn.execute(query)).scalar_one_or_none()


async def use_link(conn: AsyncConnection, digest: bytes, now: datetime) -> bool:
    """Spend a link; False where it is spent, replaced or expired."""
    statement = password_links.delete().where(
        password_links.c.token_digest == digest, password_links.c.expires_at > now
    )
    return (await conn.execute(statement)).rowcount == 1


async def drop_link(conn: AsyncConnection, user_id: UUID) -> None:
    await conn.execute(password_links.delete().where(password_links.c.user_id == user_id))


async def drop_expired_links(conn: AsyncConnection, now: datetime) -> None:
    await conn.execute(password_links.delete().where(password_links.c.expires_at <= now))
