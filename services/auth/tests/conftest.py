"""A whole auth for tests: its own database, a clock that tests move, real argon2."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from auth_service.domain.accounts import Role, User
from auth_service.domain.refreshing import Lifetimes
from auth_service.hashing import PasswordHashing
from auth_service.key_ring import KeyRing
from auth_service.sealing import Seal
from auth_service.settings import Settings
from auth_service.tables import metadata
from auth_service.usecases.signing_keys import keep_rotating
from auth_service.usecases.unit import Auth
from auth_service.usecases.users import NewUser, create_user
from examkit.db import Database
from examkit.principal import Principal
from examkit.revocations import Revocations
from examkit.testing import DatabaseMaker, FakeClock, TestDatabase
from examkit.tls import TlsFiles
from examkit.tokens import TokenVerifier
from psycopg import sql

PASSWORD = "correct horse battery"
SEALING_KEY = bytes(range(32))

MakeUser = Callable[..., Awaitable[User]]


@pytest.fixture(scope="session")
def hashing() -> Iterator[PasswordHashing]:
    with PasswordHashing() as made:
        yield made


@pytest.fixture(scope="session")
def migrated(make_database: DatabaseMaker) -> TestDatabase:
    return make_database("auth")


@pytest.fixture
def database(migrated: TestDatabase) -> TestDatabase:
    """Emptied for each test, which is faster than a new one."""
    tables = sql.SQL(", ").join(sql.Identifier("auth", name) for name in metadata.tables)
    with psycopg.connect(migrated.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
    return migrated


@pytest.fixture
async def auth(
    database: TestDatabase, fake_clock: FakeClock, hashing: PasswordHashing
) -> AsyncIterator[Auth]:
    """The use cases' world, with one signing key."""
    db = Database(database.serve_dsn, schema="auth", pool_size=8)
    seal = Seal(SEALING_KEY)
    ring = KeyRing(db, seal, issuer="examhall", audience="examhall-api", clock=fake_clock)
    await rotate(db, seal, fake_clock)
    await ring.reload()
    yield Auth(db, fake_clock, hashing, ring, Revocations(), Lifetimes(), seal.refresh_secret)
    await db.close()


async def rotate(db: Database, seal: Seal, clock: FakeClock) -> object:
    """What the worker does, with the usual times."""
    return await keep_rotating(
        db,
        seal,
        clock,
        every=timedelta(days=30),
        lead=timedelta(minutes=10),
        token_life=timedelta(minutes=30),
    )


@pytest.fixture
def make_user(auth: Auth) -> MakeUser:
    """`await make_user("ada@example.com", role=Role.ADMIN)`: with PASSWORD unless told."""

    async def make(
        email: str = "ada@example.com",
        *,
        role: Role = Role.STUDENT,
        groups: tuple[str, ...] = (),
        password: str | None = PASSWORD,
    ) -> User:
        return await create_user(auth, NewUser(email, email.partition("@")[0], role, groups, password))

    return make


@pytest.fixture
def verifier(auth: Auth) -> TokenVerifier:
    """Checks tokens as the server does."""
    return TokenVerifier(auth.key_ring, auth.revocations, "examhall", "examhall-api", clock=auth.clock)


@pytest.fixture
def settings(database: TestDatabase, certificates: Callable[[str], TlsFiles]) -> Settings:
    return Settings(
        database_url=database.serve_dsn,
        db_schema="auth",
        rabbitmq_url="amqp://nobody@127.0.0.1:1/",
        tls=certificates("auth"),
        key_encryption_key=base64.b64encode(SEALING_KEY).decode(),
    )


@pytest.fixture
def acting_as() -> Callable[[User], Principal]:
    """The principal of a person, as a token would tell."""

    def make(user: User) -> Principal:
        session = UUID(int=user.id.int ^ 1)
        return Principal(user.id, user.role.value, frozenset(user.groups), session, user.token_version, 2e9)

    return make


@pytest.fixture
def another_auth(auth: Auth) -> Auth:
    """A second replica: the same database, its own memory."""
    return replace(auth, revocations=Revocations())
