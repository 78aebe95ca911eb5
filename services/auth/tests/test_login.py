"""Logging in: one answer for all failures, the same work, and waits by account and address together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from auth_service.domain.throttling import FREE_FAILURES
from auth_service.hashing import PasswordHashing
from auth_service.tables import login_failures, sessions
from auth_service.usecases.login import login
from auth_service.usecases.unit import Auth
from auth_service.usecases.users import Change, update_user
from examkit.errors import AppError, Kind
from examkit.tokens import TokenVerifier

from .conftest import PASSWORD, MakeUser

ADDRESS = "192.0.2.1"


class CountingHashing(PasswordHashing):
    """Real argon2 that tells how often it worked."""

    calls = 0

    def _matches(self, stored: str, password: bytes) -> bool:
        self.calls += 1
        return super()._matches(stored, password)


@pytest.fixture
def counting() -> Iterator[CountingHashing]:
    with CountingHashing() as made:
        yield made


async def failed(auth: Auth, email: str, password: str, address: str = ADDRESS) -> AppError:
    with pytest.raises(AppError) as caught:
        await login(auth, email, password, address)
    return caught.value


async def test_a_login_gives_a_token_that_says_who(
    auth: Auth, make_user: MakeUser, verifier: TokenVerifier
) -> None:
    user = await make_user(groups=("math",))
    granted = await login(auth, "ADA@example.com ", PASSWORD, ADDRESS)
    principal = await verifier.verify(granted.access_token)
    assert (principal.user_id, principal.role, principal.groups) == (user.id, "student", {"math"})
    assert granted.expires_in == 1800
    assert granted.refresh_expires_in == 12 * 3600


async def test_every_failure_is_the_same_and_hashes_once(
    auth: Auth, make_user: MakeUser, counting: CountingHashing, acting_as: object
) -> None:
    auth = replace(auth, hashing=counting)
    await make_user("ada@example.com")
    await make_user("nopassword@example.com", password=None)
    closed = await make_user("closed@example.com")
    await update_user(auth, acting_as(await make_user("a@b.de")), closed.id, Change(active=False))  # type: ignore[operator]
    seen = []
    for email, password in (
        ("ada@example.com", "wrong password"),
        ("unknown@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("nopassword@example.com", PASSWORD),
        ("closed@example.com", PASSWORD),
        ("ada@example.com", PASSWORD + "x" * 5000),
        ("ada@example.com", ""),
    ):
        before = counting.calls
        error = await failed(auth, email, password)
        seen.append((error.kind, error.code, error.detail, dict(error.extra), counting.calls - before))
    assert set(map(str, seen)) == {str(seen[0])}
    assert seen[0][:2] == (Kind.UNAUTHENTICATED, "invalid_credentials")
    assert seen[0][-1] == 1


async def test_the_dummy_costs_what_a_real_hash_costs(hashing: PasswordHashing) -> None:
    stored = await hashing.hash(PASSWORD)
    parameters = stored.split("$")[1:4]
    assert parameters == ["argon2id", "v=19", "m=19456,t=2,p=1"]
    assert hashing._nobody.split("$")[1:4] == parameters


async def test_failures_bring_growing_waits_and_a_success_clears(
    auth: Auth, make_user: MakeUser, fake_clock
) -> None:
    await make_user()
    for _ in range(FREE_FAILURES):
        assert (await failed(auth, "ada@example.com", "wrong")).code == "invalid_credentials"
    first = await failed(auth, "ada@example.com", PASSWORD)
    assert (first.kind, first.retry_after) == (Kind.RATE_LIMITED, 5.0)
    fake_clock.advance(5)
    assert (await failed(auth, "ada@example.com", "wrong")).code == "invalid_credentials"
    assert (await failed(auth, "ADA@example.com", PASSWORD)).retry_after == 10.0
    fake_clock.advance(10)
    await login(auth, "ada@example.com", PASSWORD, ADDRESS)
    assert (await failed(auth, "ada@example.com", "wrong")).code == "invalid_credentials"
    await login(auth, "ada@example.com", PASSWORD, ADDRESS)


async def test_another_address_and_another_account_are_not_held_up(auth: Auth, make_user: MakeUser) -> None:
    await make_user("ada@example.com")
    await make_user("bea@example.com")
    for _ in range(FREE_FAILURES):
        await failed(auth, "ada@example.com", "wrong")
    assert (await failed(auth, "ada@example.com", PASSWORD)).kind is Kind.RATE_LIMITED
    await login(auth, "ada@example.com", PASSWORD, "192.0.2.2")
    await login(auth, "bea@example.com", PASSWORD, ADDRESS)
    assert (await failed(auth, "ada@example.com", PASSWORD)).kind is Kind.RATE_LIMITED


async def test_an_unknown_account_is_throttled_in_the_same_way(auth: Auth) -> None:
    for _ in range(FREE_FAILURES):
        await failed(auth, "unknown@example.com", "wrong")
    assert (await failed(auth, "Unknown@example.com", "wrong")).retry_after == 5.0


async def test_replicas_count_together(auth: Auth, another_auth: Auth, make_user: MakeUser) -> None:
    await make_user()
    for number in range(FREE_FAILURES):
        await failed((auth, another_auth)[number % 2], "ada@example.com", "wrong")
    assert (await failed(auth, "ada@example.com", PASSWORD)).kind is Kind.RATE_LIMITED
    assert (await failed(another_auth, "ada@example.com", PASSWORD)).kind is Kind.RATE_LIMITED


async def test_many_guesses_at_once_are_counted_one_by_one(auth: Auth, make_user: MakeUser) -> None:
    await make_user()
    errors = await asyncio.gather(*(failed(auth, "ada@example.com", f"wrong {n}") for n in range(20)))
    assert [error.code for error in errors].count("invalid_credentials") == FREE_FAILURES


async def test_many_right_logins_at_once_all_succeed(auth: Auth, make_user: MakeUser) -> None:
    await make_user()
    granted = await asyncio.gather(*(login(auth, "ada@example.com", PASSWORD, ADDRESS) for _ in range(20)))
    assert len({grant.refresh_token for grant in granted}) == 20


async def test_old_failures_are_forgotten(auth: Auth, make_user: MakeUser, fake_clock) -> None:
    await make_user()
    for _ in range(FREE_FAILURES - 1):
        await failed(auth, "ada@example.com", "wrong")
    fake_clock.advance(timedelta(hours=2))
    await failed(auth, "ada@example.com", "wrong")
    await login(auth, "ada@example.com", PASSWORD, ADDRESS)


async def test_what_is_stored_of_a_failure_names_nobody(auth: Auth) -> None:
    await failed(auth, "secret.person@example.com", "wrong")
    async with auth.db.reading() as conn:
        row = (await conn.execute(sa.select(login_failures))).one()
    assert b"secret" not in row.account


async def test_a_full_queue_says_so_at_once(auth: Auth, make_user: MakeUser) -> None:
    with PasswordHashing(queue=2) as small:
        busy = replace(auth, hashing=small)
        results = await asyncio.gather(
            *(failed(busy, f"user{number}@example.com", "wrong") for number in range(8))
        )
        refused = [error for error in results if error.kind is Kind.UNAVAILABLE]
        assert refused
        assert all(error.retry_after and error.retry_after >= 1 for error in refused)
        assert await small.verify(await small.hash("x"), "x")


async def test_a_password_changed_during_the_login_gives_no_session(
    auth: Auth, make_user: MakeUser, acting_as
) -> None:
    """The check passed with the old password, and the new one was committed before the session began."""
    user = await make_user()
    admin = acting_as(await make_user("a@b.de"))

    class Interrupted(PasswordHashing):
        async def verify(self, stored: str | None, password: str) -> bool:
            right = await super().verify(stored, password)
            await update_user(auth, admin, user.id, Change(password="a new password"))
            return right

    with Interrupted() as hashing:
        error = await failed(replace(auth, hashing=hashing), "ada@example.com", PASSWORD)
    assert error.code == "invalid_credentials"
    async with auth.db.reading() as conn:
        assert (await conn.execute(sa.select(sa.func.count()).select_from(sessions))).scalar_one() == 0


async def test_a_hash_with_old_parameters_is_renewed(auth: Auth, make_user: MakeUser) -> None:
    from argon2 import PasswordHasher
    from auth_service.repository import credentials

    user = await make_user()
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    async with auth.db.transaction() as tx:
        await credentials.put(tx.conn, {user.id: old}, auth.clock())
    await login(auth, "ada@example.com", PASSWORD, ADDRESS)
    async with auth.db.reading() as conn:
        renewed = await credentials.password_hash(conn, user.id)
    assert renewed is not None
    assert "m=19456,t=2,p=1" in renewed
    await login(auth, "ada@example.com", PASSWORD, ADDRESS)
