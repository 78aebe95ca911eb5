"""A sample service's database, its line to the broker, and a Postgres that a test may stop."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from examhall_local.postgres import PrivatePostgres
from examkit.db import Database
from examkit.messaging import Bus
from examkit.testing import DatabaseMaker, TestDatabase

sys.path.insert(0, str(Path(__file__).parent / "packages"))


@pytest.fixture
def sample(make_database: DatabaseMaker) -> TestDatabase:
    return make_database("sample")


@pytest.fixture
async def db(sample: TestDatabase) -> AsyncIterator[Database]:
    database = Database(sample.serve_dsn, schema="sample", pool_size=4)
    yield database
    await database.close()


@pytest.fixture
async def bus(rabbitmq_url: str) -> AsyncIterator[Bus]:
    line = Bus(rabbitmq_url)
    yield line
    await line.close()


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[PrivatePostgres]:
    """A server for one test alone, to be stopped and started."""
    node = PrivatePostgres(tmp_path / "state", die_with_parent=True)
    node.start()
    yield node
    node.stop()
