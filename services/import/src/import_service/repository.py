"""Every query on the import schema. What a runner writes is fenced by its lease."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from import_service.domain.columns import Kind
from import_service.domain.job import ERRORS_KEPT_DAYS, OnError, Phase, Status
from import_service.domain.refusal import RowFault

FILE_SLICE_BYTES = 1024 * 1024

_VIEW = """id, kind, filename, format, dry_run, on_error, status, phase, revision, total_rows, processed_rows,
    imported, updated, skipped, error_count, done_through_row, header, failure_code, failure_detail,
    created_by, request_id, created_at, finished_at, claims"""


@dataclass(frozen=True)
class Job:
    """A job as it stands."""

    id: UUID
    kind: Kind
    filename: str
    format: str
    dry_run: bool
    on_error: OnError
    status: Status
    phase: Phase
    revision: int
    total_rows: int
    processed_rows: int
    imported: int
    updated: int
    skipped: int
    error_count: int
    done_through_row: int
    header: tuple[str, ...]
    failure_code: str
    failure_detail: str
    created_by: UUID
    request_id: str | None
    created_at: datetime
    finished_at: datetime | None
    claims: int


@dataclass(frozen=True)
class NewJob:
    id: UUID
    kind: Kind
    filename: str
    format: str
    sha256: bytes
    dry_run: bool
    on_error: OnError
    created_by: UUID
    request_id: str | None


@dataclass(frozen=True)
class FailedRow:
    """A row that was not taken, its cells without passwords."""

    row: int
    cells: tuple[str, ...]
    faults: tuple[RowFault, ...]


@dataclass(frozen=True)
class Progress:
    """What one stored chunk adds."""

    processed_rows: int
    imported: int
    updated: int
    skipped: int
    errors: int
    through_row: int


class LeaseLost(Exception):  # noqa: N818 - named for what it tells
    """Another process works on the job now."""


def _job(row: Any) -> Job:
    values = dict(row._mapping)
    values |= {
        "kind": Kind(row.kind),
        "on_error": OnError(row.on_error),
        "status": Status(row.status),
        "phase": Phase(row.phase),
        "header": tuple(row.header),
    }
    return Job(**values)


async def insert_job(conn: AsyncConnection, job: NewJob, data: bytes) -> bool:
    """Store a job and its file; False where the same file is queued, running or imported already."""
    inserted = await conn.execute(
        sa.text(
            """
            INSERT INTO jobs (id, kind, filename, format, sha256, dry_run, on_error, created_by, request_id)
            VALUES (:id, :kind, :filename, :format, :sha256, :dry_run, :on_error, :created_by, :request_id)
            ON CONFLICT (sha256, kind, on_error) WHERE NOT dry_run AND status <> 'failed' DO NOTHING
            """
        ),
        vars(job),
    )
    if inserted.rowcount == 0:
        return False
    await conn.execute(
        sa.text("INSERT INTO files (job_id, data) VALUES (:job_id, :data)"), {"job_id": job.id, "data": data}
    )
    return True


async def same_file(conn: AsyncConnection, job: NewJob) -> Job | None:
    """The job that stands in the way of this one."""
    query = sa.text(
        f"""
        SELECT {_VIEW} FROM jobs
        WHERE sha256 = :sha256 AND kind = :kind AND on_error = :on_error
              AND NOT dry_run AND status <> 'failed'
        """  # noqa: S608 - a constant list of columns
    )
    row = (await conn.execute(query, vars(job))).one_or_none()
    return None if row is None else _job(row)


async def find(conn: AsyncConnection, job_id: UUID) -> Job | None:
    query = sa.text(f"SELECT {_VIEW} FROM jobs WHERE id = :id")  # noqa: S608 - a constant list of columns
    row = (await conn.execute(query, {"id": job_id})).one_or_none()
    return None if row is None else _job(row)


async def revision(conn: AsyncConnection, job_id: UUID) -> int:
    found = await conn.execute(sa.text("SELECT revision FROM jobs WHERE id = :id"), {"id": job_id})
    return int(found.scalar_one())


async def newest(conn: AsyncConnection, limit: int, before: tuple[datetime, UUID] | None) -> list[Job]:
    """Jobs, newest first, older than `before`."""
    where = "WHERE (created_at, id) < (:at, :id)" if before else ""
    query = sa.text(f"SELECT {_VIEW} FROM jobs {where} ORDER BY created_at DESC, id DESC LIMIT :limit")  # noqa: S608
    values: dict[str, Any] = {"limit": limit}
    if before:
        values |= {"at": before[0], "id": before[1]}
    return [_job(row) for row in await conn.execute(query, values)]


async def failed_rows(
    conn: AsyncConnection, job_id: UUID, *, after_row: int = 0, limit: int = 1000
) -> list[FailedRow]:
    """Failed rows in the order of the workbook."""
    rows = await conn.execute(
        sa.text(
            """
            SELECT "row", cells, faults FROM failed_rows
            WHERE job_id = :job_id AND "row" > :after_row ORDER BY "row" LIMIT :limit
            """
        ),
        {"job_id": job_id, "after_row": after_row, "limit": limit},
    )
    return [
        FailedRow(row.row, tuple(row.cells), tuple(RowFault(*fault) for fault in row.faults)) for row in rows
    ]


async def faults(conn: AsyncConnection, job_id: UUID, limit: int) -> list[tuple[int, RowFault]]:
    """The first faults with their rows, without the cells."""
    rows = await conn.execute(
        sa.text('SELECT "row", faults FROM failed_rows WHERE job_id = :id ORDER BY "row" LIMIT :limit'),
        {"id": job_id, "limit": limit},
    )
    return [(row.row, RowFault(*fault)) for row in rows for fault in row.faults][:limit]


async def mark_ready(conn: AsyncConnection, job_id: UUID) -> None:
    """Let a queued job begin; any other is left as it is."""
    await conn.execute(
        sa.text("UPDATE jobs SET ready_at = now() WHERE id = :id AND ready_at IS NULL"), {"id": job_id}
    )


async def claim(
    conn: AsyncConnection, owner: UUID, lease_seconds: float, unannounced_seconds: float
) -> Job | None:
    """Take the oldest job that nobody works on; None without one.

    One whose message has not come for `unannounced_seconds` is taken all the same: it may have been lost
    with a broker that was rebuilt.
    """
    query = sa.text(
        f"""
        UPDATE jobs SET lease_owner = :owner, lease_until = now() + make_interval(secs => :lease),
               status = 'running', started_at = coalesce(started_at, now()), claims = claims + 1,
               revision = revision + CASE WHEN status = 'queued' THEN 1 ELSE 0 END
        WHERE id = (
            SELECT id FROM jobs
            WHERE status IN ('queued', 'running')
              AND (ready_at IS NOT NULL OR created_at < now() - make_interval(secs => :unannounced))
              AND (lease_until IS NULL OR lease_until < now())
              AND (not_before IS NULL OR not_before <= now())
            ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING {_VIEW}
        """  # noqa: S608 - a constant list of columns
    )
    values = {"owner": owner, "lease": lease_seconds, "unannounced": unannounced_seconds}
    row = (await conn.execute(query, values)).one_or_none()
    return None if row is None else _job(row)


async def _fenced(conn: AsyncConnection, job_id: UUID, owner: UUID, changes: str, **values: Any) -> None:
    """Change a job that is still ours. Raises LeaseLost."""
    statement = sa.text(
        f"UPDATE jobs SET {changes} WHERE id = :id AND lease_owner = :owner AND status = 'running'"  # noqa: S608
    )
    changed = await conn.execute(statement, {"id": job_id, "owner": owner, **values})
    if changed.rowcount == 0:
        raise LeaseLost


async def renew(conn: AsyncConnection, job_id: UUID, owner: UUID, lease_seconds: float) -> None:
    """Keep the job for so many more seconds. Raises LeaseLost."""
    changes = "lease_until = now() + make_interval(secs => :lease)"
    await _fenced(conn, job_id, owner, changes, lease=lease_seconds)


async def release(
    conn: AsyncConnection, job_id: UUID, owner: UUID, pause_seconds: float, *, got_on: bool
) -> None:
    """Give the job back, to be taken up by anyone after a pause; `got_on`: earlier claims don't count.

    Raises LeaseLost.
    """
    changes = (
        "lease_owner = NULL, lease_until = NULL, not_before = now() + make_interval(secs => :pause),"
        " claims = CASE WHEN :got_on THEN 0 ELSE claims END"
    )
    await _fenced(conn, job_id, owner, changes, pause=pause_seconds, got_on=got_on)


async def begin_storing(
    conn: AsyncConnection,
    job_id: UUID,
    owner: UUID,
    *,
    header: Sequence[str],
    total_rows: int,
    imported: int,
    updated: int,
    skipped: int,
    errors: int,
) -> None:
    """The file was read and judged: what comes now can be gone on with after a crash. Raises LeaseLost.

    `imported` and `updated` are 0, but in a dry run what they would be.
    """
    await _fenced(
        conn,
        job_id,
        owner,
        """phase = 'storing', header = CAST(:header AS jsonb), total_rows = :total, imported = :imported,
           updated = :updated, skipped = :skipped, error_count = :errors, claims = 0,
           revision = revision + 1""",
        header=msgspec.json.encode(header).decode(),
        total=total_rows,
        imported=imported,
        updated=updated,
        skipped=skipped,
        errors=errors,
    )


async def add_progress(conn: AsyncConnection, job_id: UUID, owner: UUID, progress: Progress) -> None:
    """Count a stored chunk. Raises LeaseLost."""
    await _fenced(
        conn,
        job_id,
        owner,
        """processed_rows = :processed_rows, imported = imported + :imported, updated = updated + :updated,
           skipped = skipped + :skipped, error_count = error_count + :errors,
           done_through_row = :through_row, claims = 0, revision = revision + 1""",
        **vars(progress),
    )


async def finish(
    conn: AsyncConnection, job_id: UUID, owner: UUID, *, failure: tuple[str, str] = ("", "")
) -> Job:
    """End the job and delete its file; with a failure (code, sentence) it is `failed`. Raises LeaseLost."""
    await _fenced(
        conn,
        job_id,
        owner,
        """status = :status, failure_code = :code, failure_detail = :detail, finished_at = now(),
           processed_rows = total_rows, lease_owner = NULL, lease_until = NULL, revision = revision + 1""",
        status=Status.FAILED if failure[0] else Status.COMPLETED,
        code=failure[0],
        detail=failure[1],
    )
    await conn.execute(sa.text("DELETE FROM files WHERE job_id = :id"), {"id": job_id})
    job = await find(conn, job_id)
    assert job is not None
    return job


async def insert_failed(conn: AsyncConnection, job_id: UUID, rows: Iterable[FailedRow]) -> None:
    """Keep rows for the list of errors and the error workbook."""
    listed = list(rows)
    if not listed:
        return
    encode = msgspec.json.encode
    await conn.execute(
        sa.text(
            """
            INSERT INTO failed_rows (job_id, "row", cells, faults)
            SELECT CAST(:job_id AS uuid), number, CAST(cells AS jsonb), CAST(faults AS jsonb)
            FROM unnest(CAST(:numbers AS integer[]), CAST(:cells AS text[]), CAST(:faults AS text[]))
                 AS failed (number, cells, faults)
            ON CONFLICT (job_id, "row") DO UPDATE SET faults = excluded.faults
            """
        ),
        {
            "job_id": job_id,
            "numbers": [one.row for one in listed],
            "cells": [encode(one.cells).decode() for one in listed],
            "faults": [encode([list(fault) for fault in one.faults]).decode() for one in listed],
        },
    )


async def file_slices(conn: AsyncConnection, job_id: UUID) -> AsyncIterator[bytes]:
    """The uploaded file, slice by slice."""
    start = 1
    while True:
        found = await conn.execute(
            sa.text("SELECT substring(data FROM :start FOR :most) FROM files WHERE job_id = :id"),
            {"id": job_id, "start": start, "most": FILE_SLICE_BYTES},
        )
        slice_ = bytes(found.scalar_one())
        if not slice_:
            return
        yield slice_
        start += len(slice_)


async def forget_failed_rows(conn: AsyncConnection) -> int:
    """Delete the failed rows of jobs that ended a week ago; returns how many."""
    deleted = await conn.execute(
        sa.text(
            """
            DELETE FROM failed_rows USING jobs
            WHERE jobs.id = failed_rows.job_id AND jobs.finished_at < now() - make_interval(days => :days)
            """
        ),
        {"days": ERRORS_KEPT_DAYS},
    )
    return deleted.rowcount
