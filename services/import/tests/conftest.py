"""A migrated import schema, the services around it, and jobs that are run to their end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from examkit.db import Database
from examkit.testing import TestDatabase
from import_service import repository
from import_service.domain.columns import Kind
from import_service.domain.job import OnError
from import_service.parser.limits import Limits
from import_service.repository import Job
from import_service.runner import Runner
from import_service.usecases.create_job import create_job

from .fakes import ADMIN_ID, Certificates, World, world

Upload = Callable[..., Awaitable[Job]]
RunAll = Callable[[], Awaitable[None]]


@pytest.fixture
def database(fresh_database: Callable[[str], TestDatabase]) -> TestDatabase:
    return fresh_database("import")


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    made = Database(database.serve_dsn, schema="import", pool_size=10)
    yield made
    await made.close()


@pytest.fixture
async def around(certificates: Certificates) -> AsyncIterator[World]:
    async with world(certificates) as made:
        yield made


@pytest.fixture
def runner(db: Database, around: World) -> Runner:
    return Runner(db, around.peers, Limits(), lease_seconds=30, patience_seconds=5)


@pytest.fixture
def upload(db: Database) -> Upload:
    """Creates a job as the API does, and lets it begin as its message does."""

    async def create(
        data: bytes,
        filename: str = "questions.xlsx",
        *,
        kind: Kind = Kind.QUESTIONS,
        on_error: OnError = OnError.REJECT_FILE,
        dry_run: bool = False,
    ) -> Job:
        job = await create_job(
            db,
            filename=filename,
            data=data,
            kind=kind,
            on_error=on_error,
            dry_run=dry_run,
            created_by=ADMIN_ID,
            request_id="request-1",
        )
        async with db.transaction() as tx:
            await repository.mark_ready(tx.conn, job.id)
        return job

    return create


@pytest.fixture
def imported(upload: Upload, runner: Runner, db: Database) -> Upload:
    """The same, and runs it; gives the job as it ended."""

    async def run(data: bytes, filename: str = "questions.xlsx", **options: object) -> Job:
        job = await upload(data, filename, **options)
        while await runner.step():
            pass
        return await job_of(db, job.id)

    return run


async def job_of(db: Database, job_id: UUID) -> Job:
    async with db.reading() as conn:
        job = await repository.find(conn, job_id)
    assert job is not None
    return job


async def faults_of(db: Database, job: Job) -> list[tuple[int, str, str]]:
    """(row, column, code) of everything that was wrong."""
    async with db.reading() as conn:
        found = await repository.faults(conn, job.id, 1000)
    return [(row, fault.column, fault.code) for row, fault in found]
