"""Key rotation: published before it signs, kept until its tokens are dead, sealed at rest."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import jwt
import pytest
import sqlalchemy as sa
from auth_service.key_ring import KeyRing
from auth_service.sealing import Seal, SealError
from auth_service.tables import signing_keys
from auth_service.usecases.login import login
from auth_service.usecases.signing_keys import keep_rotating, rotate_now
from auth_service.usecases.unit import Auth
from examkit.db import Database, DatabaseAway
from examkit.testing import FakeClock
from examkit.tokens import TokenVerifier, public_keys

from .conftest import PASSWORD, SEALING_KEY, MakeUser, rotate

LEAD = timedelta(minutes=10)
SEAL = Seal(SEALING_KEY)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def count(auth: Auth) -> int:
    async with auth.db.reading() as conn:
        return int((await conn.execute(sa.select(sa.func.count()).select_from(signing_keys))).scalar_one())


async def test_a_key_that_could_not_be_looked_for_is_not_said_to_be_unknown(fake_clock: FakeClock) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none", schema="auth", pool_size=1)
    ring = KeyRing(away, SEAL, issuer="examhall", audience="examhall-api", clock=fake_clock)
    for _again in range(2):
        with pytest.raises(DatabaseAway):
            await ring.key("may-be-good")
    await away.close()


async def test_a_rotation_logs_nobody_out(
    auth: Auth, make_user: MakeUser, verifier: TokenVerifier, fake_clock: FakeClock
) -> None:
    await make_user()

    async def token() -> str:
        return (await login(auth, "ada@example.com", PASSWORD, "")).access_token

    old = await token()
    key = await rotate_now(auth.db, SEAL, fake_clock, lead=LEAD)
    assert key is not None
    await auth.key_ring.reload()
    assert key.kid in public_keys(auth.key_ring.jwks())
    fake_clock.advance(LEAD - timedelta(seconds=1))
    last = await token()
    assert kid_of(last) == kid_of(old) != key.kid
    fake_clock.advance(1)
    assert kid_of(await token()) == key.kid
    # The last token of the old key works until it dies by itself, and only then the key goes.
    fake_clock.advance(timedelta(minutes=29))
    await rotate(auth.db, SEAL, fake_clock)
    await auth.key_ring.reload()
    await verifier.verify(last)
    fresh = TokenVerifier(auth.key_ring, auth.revocations, "examhall", "examhall-api", clock=fake_clock)
    await fresh.verify(last)
    assert await count(auth) == 2
    fake_clock.advance(timedelta(minutes=7))
    await rotate(auth.db, SEAL, fake_clock)
    await auth.key_ring.reload()
    assert list(public_keys(auth.key_ring.jwks())) == [key.kid]


async def test_replicas_agree_on_one_new_key(auth: Auth, fake_clock: FakeClock) -> None:
    fake_clock.advance(timedelta(days=30))

    async def hold_a_connection() -> None:
        async with auth.db.reading() as conn:
            await conn.execute(sa.text("SELECT pg_sleep(0.2)"))

    # With connections at hand they really meet.
    await asyncio.gather(*(hold_a_connection() for _ in range(6)))
    made = await asyncio.gather(*(rotate(auth.db, SEAL, fake_clock) for _ in range(6)))
    assert sum(key is not None for key in made) == 1
    assert await rotate_now(auth.db, SEAL, fake_clock, lead=LEAD) is None
    assert await count(auth) == 2


async def test_the_first_key_signs_at_once(auth: Auth, fake_clock: FakeClock) -> None:
    async with auth.db.transaction() as tx:
        await tx.conn.execute(signing_keys.delete())
    key = await keep_rotating(
        auth.db, SEAL, fake_clock, every=timedelta(days=30), lead=LEAD, token_life=timedelta(minutes=30)
    )
    assert key is not None
    assert key.signs_from == fake_clock()


async def test_private_keys_are_sealed(auth: Auth, fake_clock: FakeClock) -> None:
    async with auth.db.reading() as conn:
        row = (await conn.execute(sa.select(signing_keys))).one()
    private = SEAL.open(row.kid, row.sealed_private_key)
    assert private.private_bytes_raw() not in row.sealed_private_key
    assert private.public_key().public_bytes_raw() == row.public_key
    with pytest.raises(SealError):
        SEAL.open("another", row.sealed_private_key)
    stranger = KeyRing(auth.db, Seal(bytes(32)), issuer="", audience="", clock=fake_clock)
    with pytest.raises(SealError):
        await stranger.reload()


async def test_the_key_set_holds_public_halves_alone(auth: Auth) -> None:
    (key,) = json.loads(auth.key_ring.jwks())["keys"]
    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}


async def test_an_unknown_key_is_looked_for_rarely(auth: Auth, fake_clock: FakeClock) -> None:
    key = await rotate_now(auth.db, SEAL, fake_clock, lead=LEAD)
    assert key is not None
    assert await auth.key_ring.key(key.kid) is not None
    later = 0.0
    ring = KeyRing(auth.db, SEAL, issuer="", audience="", clock=fake_clock, monotonic=lambda: later)
    assert await ring.key("unknown") is None
    async with auth.db.transaction() as tx:
        await tx.conn.execute(signing_keys.update().where(signing_keys.c.kid == key.kid).values(kid="moved"))
    assert await ring.key("moved") is None
