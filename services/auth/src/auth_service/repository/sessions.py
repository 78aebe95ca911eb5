"""Queries on sessions and their refresh tokens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.domain.refreshing import RefreshToken, Session
from auth_service.tables import refresh_tokens, sessions


async def insert(conn: AsyncConnection, session: Session, *, user_agent: str, expires_at: datetime) -> None:
    await conn.execute(
        sessions.insert().values(
            id=session.id,
            user_id=session.user_id,
            user_agent=user_agent,
            started_at=session.started_at,
            refreshed_at=session.started_at,
            expires_at=expires_at,
            ends_at=session.ends_at,
        )
    )


async def insert_token(
    conn: AsyncConnection, digest: bytes, session_id: UUID, now: datetime, expires_at: datetime
) -> None:
    await conn.execute(
        refresh_tokens.insert().values(
            digest=digest, session_id=session_id, issued_at=now, expires_at=expires_at
        )
    )


async def owner(conn: AsyncConnection, digest: bytes) -> tuple[UUID, UUID] | None:
    """The session and the user of a refresh token: neither ever changes."""
    query = (
        sa.select(sessions.c.id, sessions.c.user_id)
        .join(refresh_tokens, refresh_tokens.c.session_id == sessions.c.id)
        .where(refresh_tokens.c.digest == digest)
    )
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else (row.id, row.user_id)


async def lock(conn: AsyncConnection, session_id: UUID) -> Session | None:
    """The session, which nobody else refreshes or ends until the end of the transaction."""
    query = sa.select(sessions).where(sessions.c.id == session_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _session(row)


async def token(conn: AsyncConnection, digest: bytes) -> RefreshToken | None:
    """A refresh token, and what became of its successor. Read it with the session's lock in hand."""
    successor = refresh_tokens.alias("successor")
    query = (
        sa.select(
            refresh_tokens,
            successor.c.used_at.is_not(None).label("successor_used"),
            successor.c.expires_at.label("successor_expires_at"),
        )
        .outerjoin(successor, successor.c.digest == refresh_tokens.c.successor_digest)
        .where(refresh_tokens.c.digest == digest)
    )
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        return None
    return RefreshToken(
        digest=row.digest,
        session_id=row.session_id,
        expires_at=row.expires_at,
        used_at=row.used_at,
        nonce=row.nonce,
        successor_used=row.successor_used,
        successor_expires_at=row.successor_expires_at,
    )


async def rotate(
    conn: AsyncConnection,
    spent: RefreshToken,
    nonce: bytes,
    successor: bytes,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Spend a token, store what follows it, and move the session's end on."""
    await insert_token(conn, successor, spent.session_id, now, expires_at)
    await conn.execute(
        refresh_tokens.update()
        .where(refresh_tokens.c.digest == spent.digest)
        .values(used_at=now, nonce=nonce, successor_digest=successor)
    )
    await touch(conn, spent.session_id, now, expires_at)


async def touch(conn: AsyncConnection, session_id: UUID, now: datetime, expires_at: datetime) -> None:
    """A new access token was given."""
    await conn.execute(
        sessions.update().where(sessions.c.id == session_id).values(refreshed_at=now, expires_at=expires_at)
    )


async def end(conn: AsyncConnection, session_id: UUID, reason: str, now: datetime) -> bool:
    """False where it had ended before."""
    statement = (
        sessions.update()
        .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )
    return (await conn.execute(statement)).rowcount == 1


async def end_all(conn: AsyncConnection, user_id: UUID, reason: str, now: datetime) -> None:
    """End every session of a person, locked in one order."""
    ordered = (
        sa.select(sessions.c.id)
        .where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
        .order_by(sessions.c.id)
        .with_for_update()
        .cte("ordered")
    )
    await conn.execute(
        sessions.update()
        .where(sessions.c.id.in_(sa.select(ordered.c.id)))
        .values(ended_at=now, end_reason=reason)
    )


async def holders(conn: AsyncConnection, user_ids: Collection[UUID], since: datetime) -> set[UUID]:
    """Who of these was given an access token after `since`."""
    ids = sa.cast(sa.literal(list(user_ids), pg.ARRAY(sa.Uuid)), pg.ARRAY(sa.Uuid))
    query = (
        sa.select(sessions.c.user_id)
        .where(sessions.c.user_id == sa.any_(ids), sessions.c.refreshed_at > since)
        .distinct()
    )
    return set((await conn.execute(query)).scalars())


async def drop_old(conn: AsyncConnection, before: datetime, most: int) -> int:
    """Forget sessions that ended or expired before this moment, with their tokens; how many."""
    old = (
        sa.select(sessions.c.id)
        .where((sessions.c.expires_at < before) | (sessions.c.ended_at < before))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return int((await conn.execute(sessions.delete().where(sessions.c.id.in_(old)))).rowcount)


def _session(row: sa.Row[Any]) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        started_at=row.started_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
    )
