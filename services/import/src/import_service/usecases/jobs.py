"""Looking at jobs, and forgetting what is kept for a while only."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from examkit.db import Database

from import_service import errors, repository
from import_service.domain.job import SHOWN_ERRORS
from import_service.domain.refusal import RowFault
from import_service.repository import FailedRow, Job

WATCH_SECONDS = 0.5

JobView = tuple[Job, list[tuple[int, RowFault]]]
"""A job with its first faults by row."""


async def get_job(db: Database, job_id: UUID) -> JobView:
    """Raises not_found."""
    async with db.reading() as conn:
        job = await repository.find(conn, job_id)
        if job is None:
            raise errors.no_such_job()
        faults = await repository.faults(conn, job_id, SHOWN_ERRORS) if job.error_count else []
    return job, faults


async def list_jobs(db: Database, limit: int, before: tuple[datetime, UUID] | None) -> list[Job]:
    """Newest first."""
    async with db.reading() as conn:
        return await repository.newest(conn, limit, before)


async def failed_rows(db: Database, job_id: UUID, after_row: int, limit: int) -> tuple[Job, list[FailedRow]]:
    """The job and its next failed rows, as the workbook has them. Raises not_found."""
    async with db.reading() as conn:
        job = await repository.find(conn, job_id)
        if job is None:
            raise errors.no_such_job()
        return job, await repository.failed_rows(conn, job_id, after_row=after_row, limit=limit)


async def watch_job(db: Database, job_id: UUID) -> AsyncIterator[JobView | None]:
    """The job at once and whenever it has changed, until it ended; None in between. Raises not_found."""
    seen = 0
    while True:
        view = await get_job(db, job_id)
        seen = view[0].revision
        yield view
        if view[0].status.ended:
            return
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            async with db.reading() as conn:
                if await repository.revision(conn, job_id) != seen:
                    break
            yield None


async def forget_failed_rows(db: Database) -> int:
    """What a periodic worker does; returns how many rows went."""
    async with db.transaction() as tx:
        return await repository.forget_failed_rows(tx.conn)
