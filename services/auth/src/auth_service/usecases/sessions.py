"""Refreshing and ending sessions."""

from __future__ import annotations

from uuid import UUID

from examkit.db import retry_deadlocks
from examkit.principal import Principal

from auth_service import metrics
from auth_service.domain.accounts import User
from auth_service.domain.refreshing import (
    REUSED,
    TOKEN_BYTES,
    RefreshToken,
    Session,
    Verdict,
    digest,
    judge,
    refresh_expiry,
    successor_of,
)
from auth_service.errors import refresh_reused, session_over
from auth_service.repository import sessions, users
from auth_service.usecases.access import Grant, end_session, grant
from auth_service.usecases.unit import Auth, Unit

_COUNTED = {Verdict.ROTATE: "rotated", Verdict.REPEAT: "repeated", Verdict.REUSED: "reused"}


async def refresh(auth: Auth, refresh_token: str) -> Grant:
    """A fresh access token, and the next refresh token.

    Raises unauthenticated where the session is over or the token unknown; refresh_reused where the token
    was used before, which ends the session.
    """
    async with auth.db.reading() as conn:
        owner = await sessions.owner(conn, digest(refresh_token))
    if owner is None:
        metrics.refreshes.labels("unknown").inc()
        raise session_over()
    verdict, granted = await _refresh(auth, refresh_token, *owner)
    metrics.refreshes.labels(_COUNTED.get(verdict, "over")).inc()
    if granted is None:
        raise refresh_reused() if verdict is Verdict.REUSED else session_over()
    return granted


@retry_deadlocks
async def _refresh(
    auth: Auth, refresh_token: str, session_id: UUID, user_id: UUID
) -> tuple[Verdict, Grant | None]:
    async with auth.changing(actor_id=user_id) as unit:
        # First the person, then the session: the order in which whoever ends access locks them too.
        user = await users.get(unit.conn, user_id, lock="share")
        session = await sessions.lock(unit.conn, session_id)
        token = await sessions.token(unit.conn, digest(refresh_token))
        if user is None or not user.active or session is None or token is None:
            return Verdict.OVER, None
        verdict = judge(session, token, unit.now, auth.lifetimes.repeat_window)
        if verdict is Verdict.ROTATE:
            return verdict, await _rotate(auth, unit, user, session, token, refresh_token)
        if verdict is Verdict.REPEAT:
            return verdict, await _repeat(auth, unit, user, session, token, refresh_token)
        if verdict is Verdict.REUSED:
            await end_session(unit, session.id, user.id, REUSED)
        return verdict, None


async def _rotate(
    auth: Auth, unit: Unit, user: User, session: Session, token: RefreshToken, refresh_token: str
) -> Grant:
    nonce = auth.random_bytes(TOKEN_BYTES)
    successor = successor_of(refresh_token, nonce, auth.refresh_secret)
    expires_at = refresh_expiry(session.ends_at, unit.now, auth.lifetimes)
    await sessions.rotate(unit.conn, token, nonce, digest(successor), unit.now, expires_at)
    return grant(auth, unit, user, session, successor, expires_at - unit.now)


async def _repeat(
    auth: Auth, unit: Unit, user: User, session: Session, token: RefreshToken, refresh_token: str
) -> Grant:
    """The same successor, derived once more: the first answer was lost, or there are two tabs."""
    if token.nonce is None or token.successor_expires_at is None:
        raise AssertionError("a used token has a successor")
    successor = successor_of(refresh_token, token.nonce, auth.refresh_secret)
    await sessions.touch(unit.conn, session.id, unit.now, token.successor_expires_at)
    return grant(auth, unit, user, session, successor, token.successor_expires_at - unit.now)


@retry_deadlocks
async def logout(auth: Auth, principal: Principal | None, refresh_token: str) -> None:
    """End the session of the access token, and of the refresh token. One that is over stays so."""
    wanted: dict[UUID, UUID] = {}
    if principal is not None:
        wanted[principal.session_id] = principal.user_id
    if refresh_token:
        async with auth.db.reading() as conn:
            owner = await sessions.owner(conn, digest(refresh_token))
        if owner is not None:
            wanted[owner[0]] = owner[1]
    if not wanted:
        return
    async with auth.changing(actor_id=next(iter(wanted.values()))) as unit:
        for session_id, user_id in sorted(wanted.items()):
            await end_session(unit, session_id, user_id, "logout")
