"""Logging in: the same work and the same answer whether the account exists or not."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from examkit.db import retry_deadlocks
from examkit.errors import AppError, Kind

from auth_service import metrics
from auth_service.domain.accounts import User, lookup_key
from auth_service.domain.throttling import (
    FORGET_AFTER,
    account_digest,
    address_scope,
    seconds_left,
    wait_after,
)
from auth_service.errors import invalid_credentials, too_many_failures
from auth_service.repository import credentials, throttle, users
from auth_service.usecases.access import Grant, begin_session
from auth_service.usecases.unit import Auth

_OUTCOMES = {
    Kind.UNAUTHENTICATED: "refused",
    Kind.RATE_LIMITED: "throttled",
    Kind.UNAVAILABLE: "overloaded",
}


@dataclass(frozen=True)
class Guesser:
    """Who tries which account from where: what failures are counted by."""

    account: bytes
    address: str

    @classmethod
    def of(cls, email: str, address: str) -> Guesser:
        return cls(account_digest(lookup_key(email) or email), address_scope(address))


async def login(auth: Auth, email: str, password: str, address: str, user_agent: str = "") -> Grant:
    """A new session.

    Raises invalid_credentials (also for a deactivated account), rate_limited, unavailable.
    """
    try:
        grant = await _login(auth, email, password, Guesser.of(email, address), user_agent)
    except AppError as error:
        metrics.logins.labels(_OUTCOMES.get(error.kind, "failed")).inc()
        raise
    metrics.logins.labels("success").inc()
    return grant


async def _login(auth: Auth, email: str, password: str, guesser: Guesser, user_agent: str) -> Grant:
    # By turns: of many guesses at a time each is counted before the next is tried.
    async with auth.turns.turn(guesser):
        await refuse_if_blocked(auth, guesser)
        # Looked for in any case, so that what can't be an address takes as long.
        async with auth.db.reading() as conn:
            found = await users.find_login(conn, lookup_key(email) or "")
        user, stored = found or (None, None)
        usable = stored if user is not None and user.active else None
        if not await auth.hashing.verify(usable, password) or user is None or usable is None:
            await count_failure(auth, guesser)
            raise invalid_credentials()
        renewed = await auth.hashing.hash(password) if auth.hashing.is_outdated(usable) else None
        return await _begin(auth, user.id, usable, renewed, guesser, user_agent)


@retry_deadlocks
async def _begin(
    auth: Auth, user_id: UUID, verified: str, renewed: str | None, guesser: Guesser, user_agent: str
) -> Grant:
    async with auth.changing(actor_id=user_id) as unit:
        # The password may have been changed, or the account closed, since it was checked.
        user: User | None = await users.get(unit.conn, user_id, lock="share")
        if user is None or not user.active:
            raise invalid_credentials()
        if await credentials.password_hash(unit.conn, user_id) != verified:
            raise invalid_credentials()
        if renewed is not None:
            await credentials.put(unit.conn, {user_id: renewed}, unit.now)
        await throttle.clear(unit.conn, guesser.account, guesser.address)
        return await begin_session(auth, unit, user, user_agent)


async def refuse_if_blocked(auth: Auth, guesser: Guesser) -> None:
    """Raises rate_limited while this address has to wait for this account."""
    async with auth.db.reading() as conn:
        until = await throttle.blocked_until(conn, guesser.account, guesser.address)
    left = seconds_left(until, auth.clock())
    if left > 0:
        raise too_many_failures(left)


@retry_deadlocks
async def count_failure(auth: Auth, guesser: Guesser) -> None:
    """One more failure of this address at this account; from some number on it has to wait."""
    async with auth.db.transaction() as tx:
        now = auth.clock()
        failures = await throttle.count_failure(
            tx.conn, guesser.account, guesser.address, now, now - FORGET_AFTER
        )
        wait = wait_after(failures)
        if wait:
            await throttle.block(tx.conn, guesser.account, guesser.address, now + wait)
