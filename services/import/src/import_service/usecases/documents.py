"""Workbooks to download: the rows of a job that failed, and templates."""

import asyncio
from uuid import UUID

from examkit.db import Database

from import_service import errors, repository
from import_service.domain.columns import Kind
from import_service.repository import FailedRow
from import_service.workbooks import ErrorWorkbook, template

PORTION_ROWS = 1_000


async def error_workbook(db: Database, job_id: UUID) -> tuple[str, bytes]:
    """File name and content. Raises not_found, also where no row failed."""
    async with db.reading() as conn:
        job = await repository.find(conn, job_id)
    if job is None:
        raise errors.no_such_job()
    rows = await _portion(db, job_id, after_row=0)
    if not rows:
        raise errors.no_failed_rows()
    book = await asyncio.to_thread(ErrorWorkbook, job.header)
    while rows:
        await asyncio.to_thread(book.add, rows)
        rows = await _portion(db, job_id, after_row=rows[-1].row)
    stem = job.filename.rpartition(".")[0] or job.filename
    return f"{stem}-errors.xlsx", await asyncio.to_thread(book.finish)


async def _portion(db: Database, job_id: UUID, *, after_row: int) -> list[FailedRow]:
    """On a connection for itself: none is kept while the workbook is written."""
    async with db.reading() as conn:
        return await repository.failed_rows(conn, job_id, after_row=after_row, limit=PORTION_ROWS)


async def template_workbook(kind: Kind) -> tuple[str, bytes]:
    """File name and content."""
    return f"{kind}-template.xlsx", await asyncio.to_thread(template, kind)
