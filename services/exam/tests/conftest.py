"""A migrated exam schema, and a stand-in for grading."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from exam_service.repository.papers import PaperCache
from exam_service.usecases.actor import Actor
from examkit.db import Database
from examkit.testing import TestDatabase

from .builders import FakeGrading
from .sitting import Hall

ADMIN = Actor("01890000-0000-7000-8000-0000000000ad", request_id="request-1")


@pytest.fixture
def database(fresh_database: Callable[[str], TestDatabase]) -> TestDatabase:
    return fresh_database("exam")


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    made = Database(database.serve_dsn, schema="exam", pool_size=10, prepared=True)
    yield made
    await made.close()


@pytest.fixture
def now() -> datetime:
    """When the test began; its module may have been imported a quarter of an hour before."""
    return datetime.now(UTC)


@pytest.fixture
def admin() -> Actor:
    return ADMIN


@pytest.fixture
def admin_id() -> UUID:
    return UUID(ADMIN.id)


@pytest.fixture
def grading() -> FakeGrading:
    return FakeGrading()


@pytest.fixture
def hall(db: Database) -> Hall:
    return Hall(db, PaperCache(db))
