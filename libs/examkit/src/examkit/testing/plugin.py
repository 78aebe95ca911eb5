"""The pytest plugin: PostgreSQL and RabbitMQ for the session, started when the first test asks for them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examkit.testing.databases import DatabaseMaker, TestDatabase
from examkit.testing.time import FakeClock
from examkit.tls import TlsFiles


@pytest.fixture(scope="session")
def postgres_admin_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An administrator's DSN: TEST_POSTGRES_DSN, or a private node's that lives as long as the session."""
    given = os.environ.get("TEST_POSTGRES_DSN")
    if given:
        yield given
        return
    from examhall_local.postgres import PrivatePostgres

    node = PrivatePostgres(tmp_path_factory.mktemp("postgres"), die_with_parent=True)
    yield node.start()
    node.stop()


@pytest.fixture(scope="session")
def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An administrator's URL: TEST_RABBITMQ_URL, or a private node's that lives as long as the session."""
    given = os.environ.get("TEST_RABBITMQ_URL")
    if given:
        yield given
        return
    from examhall_local.rabbitmq import PrivateRabbit

    node = PrivateRabbit(tmp_path_factory.mktemp("rabbitmq"), die_with_parent=True)
    yield node.start()
    node.stop()


@pytest.fixture(scope="session")
def make_database(postgres_admin_dsn: str) -> Iterator[DatabaseMaker]:
    """`make_database("exam")`: a fresh database with the service's schema; gone when the session ends."""
    maker = DatabaseMaker(postgres_admin_dsn)
    yield maker
    if os.environ.get("TEST_POSTGRES_DSN"):
        maker.drop_all()  # a private node goes as a whole: each drop would cost a checkpoint


@pytest.fixture
def fresh_database(make_database: DatabaseMaker) -> Iterator[Callable[[str], TestDatabase]]:
    """The same, emptied when the test ends and lent to the next: for tests that leave the schema as it is."""
    lent: list[TestDatabase] = []

    def lend(service: str) -> TestDatabase:
        lent.append(make_database.lend(service))
        return lent[-1]

    yield lend
    for database in lent:
        make_database.give_back(database)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], TlsFiles]:
    """`certificates("exam")`: the files with which a process proves to be `exam`; one authority for all."""
    from examkit.certificates import ensure

    folder: Path = tmp_path_factory.mktemp("tls")

    def issue(identity: str) -> TlsFiles:
        files = ensure(folder, (identity,))[identity]
        return TlsFiles(ca=files.ca, cert=files.cert, key=files.key)

    return issue


@pytest.fixture
def fake_clock() -> FakeClock:
    """A clock that a test moves."""
    return FakeClock()
