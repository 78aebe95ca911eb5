"""A sample service's database, and the two ends of its events."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
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
