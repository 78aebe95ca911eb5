"""Giving and taking access: sessions that begin, sessions that end, tokens that go stale."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from examkit.ids import uuid7

from auth_service.domain.accounts import User
from auth_service.domain.refreshing import (
    TOKEN_BYTES,
    Session,
    access_expiry,
    digest,
    encode_token,
    refresh_expiry,
)
from auth_service.domain.revocation import ENDED, STALE, SessionRevocation, UserRevocation
from auth_service.repository import sessions, users
from auth_service.usecases.unit import Auth, Unit

USER_AGENT_CHARACTERS = 300


@dataclass(frozen=True)
class Grant:
    """What a login or a refresh gives; times in seconds from now."""

    access_token: str = field(repr=False)
    expires_in: int
    refresh_token: str = field(repr=False)
    refresh_expires_in: int
    user: User


async def begin_session(auth: Auth, unit: Unit, user: User, user_agent: str) -> Grant:
    """A new session of a person whose row is locked."""
    now = unit.now
    session = Session(uuid7(), user.id, now, now + auth.lifetimes.session, None, None)
    refresh_token = encode_token(auth.random_bytes(TOKEN_BYTES))
    expires_at = refresh_expiry(session.ends_at, now, auth.lifetimes)
    agent = "".join(character for character in user_agent if character.isprintable())
    await sessions.insert(unit.conn, session, user_agent=agent[:USER_AGENT_CHARACTERS], expires_at=expires_at)
    await sessions.insert_token(unit.conn, digest(refresh_token), session.id, now, expires_at)
    await unit.audit("session.started", "session", session.id, after={"user_id": str(user.id)})
    return grant(auth, unit, user, session, refresh_token, expires_at - now)


def grant(
    auth: Auth, unit: Unit, user: User, session: Session, refresh_token: str, refresh_left: timedelta
) -> Grant:
    """A fresh access token beside a refresh token."""
    expires_at = access_expiry(session.ends_at, unit.now, auth.lifetimes)
    return Grant(
        access_token=auth.key_ring.access_token(user, session.id, unit.now, expires_at),
        expires_in=int((expires_at - unit.now).total_seconds()),
        refresh_token=refresh_token,
        refresh_expires_in=int(refresh_left.total_seconds()),
        user=user,
    )


async def end_session(unit: Unit, session_id: UUID, user_id: UUID, reason: str) -> bool:
    """End one session and its access tokens; False where it had ended before."""
    if not await sessions.end(unit.conn, session_id, reason, unit.now):
        return False
    await unit.revoke(SessionRevocation(session_id, ENDED, unit.dead_by))
    await unit.audit("session.ended", "session", session_id, after={"user_id": str(user_id)}, reason=reason)
    return True


async def end_all_sessions(unit: Unit, user: User, reason: str) -> User:
    """End every session and access token of a person whose row is locked; the person as now stored."""
    await sessions.end_all(unit.conn, user.id, reason, unit.now)
    return await _next_version(unit, user, ENDED)


async def make_tokens_stale(unit: Unit, user: User) -> User:
    """Rights changed: access tokens end, sessions live on. The person as now stored."""
    return await _next_version(unit, user, STALE)


async def _next_version(unit: Unit, user: User, code: str) -> User:
    version = user.token_version + 1
    await users.update(unit.conn, user.id, {"token_version": version}, unit.now)
    await unit.revoke(UserRevocation(user.id, version, code, unit.dead_by))
    return replace(user, token_version=version)
