"""Setting passwords: by the person, by a link, and the links themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from examkit.db import retry_deadlocks
from examkit.errors import FieldError, invalid, not_found, unauthenticated
from examkit.principal import Principal

from auth_service.domain.accounts import RuleError, check_password
from auth_service.domain.refreshing import TOKEN_BYTES, digest, encode_token
from auth_service.errors import link_expired, wrong_current_password
from auth_service.repository import credentials, throttle, users
from auth_service.usecases.access import Grant, begin_session, end_all_sessions
from auth_service.usecases.login import Guesser, count_failure, refuse_if_blocked
from auth_service.usecases.unit import Auth


@dataclass(frozen=True)
class Link:
    """A password link's token, which is stored nowhere, and until when it works."""

    token: str = field(repr=False)
    expires_at: datetime


async def change_password(auth: Auth, principal: Principal, current: str, new: str, address: str) -> Grant:
    """End all sessions, and give a new one. Raises invalid_credentials, invalid, rate_limited."""
    async with auth.db.reading() as conn:
        user = await users.get(conn, principal.user_id)
        stored = await credentials.password_hash(conn, principal.user_id)
    if user is None or not user.active:
        raise unauthenticated("Sign in first.")
    require_good(new, user.email, "new_password")
    guesser = Guesser.of(user.email, address)
    async with auth.turns.turn(guesser):
        await refuse_if_blocked(auth, guesser)
        if not await auth.hashing.verify(stored, current) or stored is None:
            await count_failure(auth, guesser)
            raise wrong_current_password()
        return await _change(auth, user.id, stored, await auth.hashing.hash(new), guesser)


@retry_deadlocks
async def _change(auth: Auth, user_id: UUID, verified: str, new_hash: str, guesser: Guesser) -> Grant:
    async with auth.changing() as unit:
        user = await users.get(unit.conn, user_id, lock="update")
        if user is None or not user.active:
            raise unauthenticated("Sign in first.")
        if await credentials.password_hash(unit.conn, user_id) != verified:
            raise wrong_current_password()  # changed by another request meanwhile
        await credentials.put(unit.conn, {user_id: new_hash}, unit.now)
        await credentials.drop_link(unit.conn, user_id)
        await throttle.clear(unit.conn, guesser.account, guesser.address)
        user = await end_all_sessions(unit, user, "password_changed")
        await unit.audit("password.changed", "user", user_id)
        return await begin_session(auth, unit, user, "")


@retry_deadlocks
async def create_link(auth: Auth, user_id: UUID) -> Link:
    """A link to set a password; an earlier one of the same person ends. Raises not_found."""
    token = encode_token(auth.random_bytes(TOKEN_BYTES))
    async with auth.changing() as unit:
        if await users.get(unit.conn, user_id, lock="update") is None:
            raise not_found("There is no such user.")
        expires_at = unit.now + auth.lifetimes.password_link
        await credentials.put_link(unit.conn, user_id, digest(token), unit.now, expires_at)
        await unit.audit("password.link_created", "user", user_id)
        return Link(token, expires_at)


async def set_password(auth: Auth, token: str, new: str) -> None:
    """Set a password by a link, which is spent by it. Raises link_expired, invalid (the link still works)."""
    spent = digest(token)
    async with auth.db.reading() as conn:
        user_id = await credentials.link_owner(conn, spent, auth.clock())
        user = None if user_id is None else await users.get(conn, user_id)
    if user is None:
        raise link_expired()
    require_good(new, user.email, "new_password")
    await _set(auth, user.id, spent, await auth.hashing.hash(new))


@retry_deadlocks
async def _set(auth: Auth, user_id: UUID, spent: bytes, new_hash: str) -> None:
    async with auth.changing(actor_id=user_id) as unit:
        user = await users.get(unit.conn, user_id, lock="update")
        if user is None or not await credentials.use_link(unit.conn, spent, unit.now):
            raise link_expired()
        await credentials.put(unit.conn, {user_id: new_hash}, unit.now)
        await end_all_sessions(unit, user, "password_changed")
        await unit.audit("password.set_by_link", "user", user_id)


def require_good(password: str, email: str, field_name: str) -> None:
    """Raises invalid for what may not be a password."""
    try:
        check_password(password, email)
    except RuleError as broken:
        raise invalid(str(broken), FieldError((field_name,), str(broken))) from None
