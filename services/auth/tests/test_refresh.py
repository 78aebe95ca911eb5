"""Refresh tokens: rotation, the 30 s rule, re-use, concurrency, and what is stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from auth_service.tables import refresh_tokens
from auth_service.usecases.access import Grant
from auth_service.usecases.cleaning import clean
from auth_service.usecases.login import login
from auth_service.usecases.sessions import logout, refresh
from auth_service.usecases.unit import Auth
from examkit.errors import AppError
from examkit.testing import FakeClock
from examkit.tokens import TokenVerifier

from .conftest import PASSWORD, MakeUser


@pytest.fixture
async def granted(auth: Auth, make_user: MakeUser) -> Grant:
    await make_user()
    return await login(auth, "ada@example.com", PASSWORD, "192.0.2.1")


async def code_of(awaitable: object) -> str:
    with pytest.raises(AppError) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value.code


async def test_each_refresh_gives_the_next(auth: Auth, granted: Grant, verifier: TokenVerifier) -> None:
    second = await refresh(auth, granted.refresh_token)
    third = await refresh(auth, second.refresh_token)
    assert len({granted.refresh_token, second.refresh_token, third.refresh_token}) == 3
    sessions = {(await verifier.verify(g.access_token)).session_id for g in (granted, second, third)}
    assert len(sessions) == 1


async def test_the_previous_one_gives_the_same_successor(
    auth: Auth, granted: Grant, verifier: TokenVerifier, fake_clock: FakeClock
) -> None:
    first = await refresh(auth, granted.refresh_token)
    fake_clock.advance(30)
    again = await refresh(auth, granted.refresh_token)
    assert again.refresh_token == first.refresh_token
    await verifier.verify(again.access_token)
    await refresh(auth, first.refresh_token)


async def test_later_than_30_s_ends_the_family(
    auth: Auth, granted: Grant, verifier: TokenVerifier, fake_clock: FakeClock
) -> None:
    successor = await refresh(auth, granted.refresh_token)
    fake_clock.advance(30.001)
    assert await code_of(refresh(auth, granted.refresh_token)) == "refresh_reused"
    assert await code_of(refresh(auth, successor.refresh_token)) == "refresh_reused"
    assert await code_of(verifier.verify(successor.access_token)) == "unauthenticated"
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"


async def test_after_its_successor_was_used_it_ends_the_family(auth: Auth, granted: Grant) -> None:
    second = await refresh(auth, granted.refresh_token)
    third = await refresh(auth, second.refresh_token)
    assert await code_of(refresh(auth, granted.refresh_token)) == "refresh_reused"
    assert await code_of(refresh(auth, third.refresh_token)) == "refresh_reused"


async def test_re_use_ends_only_this_family(auth: Auth, granted: Grant, verifier: TokenVerifier) -> None:
    other = await login(auth, "ada@example.com", PASSWORD, "192.0.2.1")
    await refresh(auth, (await refresh(auth, granted.refresh_token)).refresh_token)
    assert await code_of(refresh(auth, granted.refresh_token)) == "refresh_reused"
    await verifier.verify(other.access_token)
    await refresh(auth, other.refresh_token)


async def test_the_same_token_many_times_at_once_has_one_successor(
    auth: Auth, another_auth: Auth, granted: Grant
) -> None:
    replicas = (auth, another_auth)
    grants = await asyncio.gather(*(refresh(replicas[n % 2], granted.refresh_token) for n in range(20)))
    assert len({grant.refresh_token for grant in grants}) == 1
    async with auth.db.reading() as conn:
        stored = (await conn.execute(sa.select(sa.func.count()).select_from(refresh_tokens))).scalar_one()
    assert stored == 2


async def test_logout_ends_the_session(auth: Auth, granted: Grant, verifier: TokenVerifier) -> None:
    principal = await verifier.verify(granted.access_token)
    await logout(auth, principal, "")
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"
    assert await code_of(refresh(auth, granted.refresh_token)) == "unauthenticated"
    await logout(auth, principal, "")
    await logout(auth, None, granted.refresh_token)
    await logout(auth, None, "unknown")


async def test_logout_by_the_refresh_token_alone(auth: Auth, granted: Grant, verifier: TokenVerifier) -> None:
    await logout(auth, None, granted.refresh_token)
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"


async def test_a_session_ends_when_idle_and_after_7_days_in_any_case(
    auth: Auth, granted: Grant, fake_clock: FakeClock
) -> None:
    started = fake_clock()
    token = granted.refresh_token
    for _ in range(15):
        fake_clock.advance(timedelta(hours=11))
        renewed = await refresh(auth, token)
        token = renewed.refresh_token
    fake_clock.set(started + timedelta(days=7) - timedelta(minutes=10))
    last = await refresh(auth, token)
    assert last.expires_in == last.refresh_expires_in == 600
    fake_clock.advance(600)
    assert await code_of(refresh(auth, last.refresh_token)) == "unauthenticated"
    idle = await login(auth, "ada@example.com", PASSWORD, "192.0.2.1")
    fake_clock.advance(timedelta(hours=12))
    assert await code_of(refresh(auth, idle.refresh_token)) == "unauthenticated"


@pytest.mark.parametrize("token", ["", "unknown", "ü\0", "x" * 100_000])
async def test_an_unknown_token_is_unauthenticated(auth: Auth, token: str) -> None:
    assert await code_of(refresh(auth, token)) == "unauthenticated"


async def test_no_token_is_stored_in_clear(auth: Auth, granted: Grant, database) -> None:
    second = await refresh(auth, granted.refresh_token)
    again = await refresh(auth, granted.refresh_token)
    assert again.refresh_token == second.refresh_token
    dump = await everything(auth)
    for secret in (granted.refresh_token, second.refresh_token, granted.access_token, PASSWORD):
        assert secret not in dump
        assert secret.encode().hex() not in dump


async def everything(auth: Auth) -> str:
    """All rows of all tables, as text."""
    from auth_service.tables import metadata

    texts = []
    async with auth.db.reading() as conn:
        for table in metadata.tables.values():
            query = sa.text(f'SELECT t::text FROM "{table.name}" t')
            texts += list((await conn.execute(query)).scalars())
    return "\n".join(texts)


async def test_cleaning_forgets_what_is_over_and_nothing_else(
    auth: Auth, granted: Grant, fake_clock: FakeClock
) -> None:
    alive = granted
    ended = await login(auth, "ada@example.com", PASSWORD, "192.0.2.1")
    await logout(auth, None, ended.refresh_token)
    await clean(auth)
    assert await code_of(refresh(auth, ended.refresh_token)) == "unauthenticated"
    for _ in range(5):
        fake_clock.advance(timedelta(hours=6))
        alive = await refresh(auth, alive.refresh_token)
    await clean(auth)
    async with auth.db.reading() as conn:
        tables = ("sessions", "revocations", "refresh_tokens")
        counts = [
            (await conn.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in tables
        ]
    assert counts == [1, 0, 6]
    await refresh(auth, alive.refresh_token)
