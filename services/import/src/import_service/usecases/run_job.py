"""The work of one job: read and judge the file, then store its rows chunk by chunk."""

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import BinaryIO, NamedTuple, TypeVar
from uuid import UUID

import structlog
from examkit.audit import AuditEntry
from examkit.db import Database, Tx
from examkit.errors import AppError

from import_service import metrics, repository
from import_service.domain.columns import Kind
from import_service.domain.job import CHUNK_ROWS, STUDENT_CHUNK_ROWS, OnError, Phase, Status
from import_service.domain.refusal import ROWS_INVALID, FileRefused, RowFault
from import_service.parser.frames import Bad, Good
from import_service.parser.limits import Limits
from import_service.parser.process import ParsedFile, parsed
from import_service.parser.recognising import Format
from import_service.peers import Peers
from import_service.repository import FailedRow, Job, Progress
from import_service.usecases.foresight import Foresight
from import_service.usecases.one_ahead import one_ahead
from import_service.usecases.storing import WAITED_FOR, Verdict, judge_rows, put_keys, store_rows

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
T = TypeVar("T")

log = structlog.get_logger(__name__)


class PutOff(Exception):  # noqa: N818 - named for what it tells
    """A service that the job needs is away for longer: others may go first."""


class _Chunk(NamedTuple):
    """Rows to be stored together; with those before them and the wrong ones between, `processed` in all."""

    rows: list[Good]
    processed: int
    through_row: int


class JobRun:
    """One go at a job that this process holds the lease of. Everything it writes is fenced by the lease.

    `patience_seconds`: how long it waits for another service before the job is put off.
    """

    def __init__(
        self, db: Database, peers: Peers, limits: Limits, job: Job, owner: UUID, *, patience_seconds: float
    ) -> None:
        self._db = db
        self._peers = peers
        self._limits = limits
        self._job = job
        self.owner = owner
        self._patience = patience_seconds
        self._chunk_rows = STUDENT_CHUNK_ROWS if job.kind is Kind.USERS else CHUNK_ROWS

    async def run(self) -> None:
        """Work until the job has ended. Raises PutOff, LeaseLost.

        FileRefused only for a file that could be read before.
        """
        with tempfile.TemporaryFile(prefix="examhall-upload-") as source:
            await self._fetch(source)
            try:
                async with parsed(source, Format(self._job.format), self._job.kind, self._limits) as workbook:
                    await self._work(workbook)
            except FileRefused as refused:
                if self._job.phase is Phase.STORING:
                    raise  # it was read before, so the fault is ours, and may pass
                await self.fail(refused.code, refused.detail)

    async def fail(self, code: str, detail: str) -> None:
        """End the job as failed. Raises LeaseLost."""
        async with self._db.transaction() as tx:
            await self._finish(tx, (code, detail))

    async def _fetch(self, source: BinaryIO) -> None:
        async with self._db.reading() as conn:
            async for part in repository.file_slices(conn, self._job.id):
                await asyncio.to_thread(source.write, part)
        await asyncio.to_thread(source.flush)

    async def _work(self, workbook: ParsedFile) -> None:
        if self._job.phase is Phase.CHECKING and await self._check(workbook):
            return
        await self._store(workbook)
        async with self._db.transaction() as tx:
            await self._finish(tx)

    async def _check(self, workbook: ParsedFile) -> bool:
        """Record what is wrong with the rows. True: the job has ended with that."""
        foresight = await self._foresee(workbook)
        async with self._db.transaction() as tx:
            unreadable, errors = await self._record_failed(tx, workbook, foresight.refused)
            bad = unreadable + len(foresight.refused)
            # The bank's own refusals come while rows are stored, and reject nothing but their row.
            spoils = bad if self._job.kind is Kind.USERS else unreadable
            rejected = bool(spoils) and self._job.on_error is OnError.REJECT_FILE
            would = foresight.outcomes if self._job.dry_run and not rejected else Counter[str]()
            await repository.begin_storing(
                tx.conn,
                self._job.id,
                self.owner,
                header=workbook.header,
                total_rows=workbook.total_rows,
                imported=would["imported"],
                updated=would["updated"],
                skipped=0 if rejected else bad,
                errors=errors,
            )
            if self._job.dry_run:
                await self._finish(tx)
            elif rejected:
                await self._finish(tx, (ROWS_INVALID, _rows_invalid(bad, workbook.total_rows)))
        return self._job.dry_run or rejected

    async def _record_failed(
        self, tx: Tx, workbook: ParsedFile, refused: dict[int, RowFault]
    ) -> tuple[int, int]:
        """Keep the rows that fail; how many of them could not even be read, and how many errors they have."""
        unreadable = errors = 0
        async for portion in workbook.portions(CHUNK_ROWS):
            failed = [one for row in portion if (one := _failed(row, refused.get(row.row)))]
            unreadable += sum(isinstance(row, Bad) for row in portion)
            errors += sum(len(row.faults) for row in failed)
            await repository.insert_failed(tx.conn, self._job.id, failed)
        return unreadable, errors

    async def _foresee(self, workbook: ParsedFile) -> Foresight:
        """What the services would say to the rows, where that is wanted before anything is stored."""
        foresight = Foresight()
        all_or_none = self._job.kind is Kind.USERS and self._job.on_error is OnError.REJECT_FILE
        if self._job.dry_run or all_or_none:
            async for portion in workbook.portions(self._chunk_rows):
                good = [row for row in portion if isinstance(row, Good)]
                verdicts = await self._patiently(lambda rows=good: judge_rows(self._peers, self._job, rows))  # type: ignore[misc]
                foresight.add(good, verdicts)
        return foresight

    async def _store(self, workbook: ParsedFile) -> None:
        done = self._job.done_through_row

        async def remaining() -> AsyncGenerator[_Chunk, None]:
            processed = 0
            async for portion in workbook.portions(self._chunk_rows):
                processed += len(portion)
                if portion[-1].row > done:
                    good = [row for row in portion if isinstance(row, Good) and row.row > done]
                    yield _Chunk(good, processed, portion[-1].row)

        async def keyed(chunk: _Chunk) -> list[Verdict]:
            return await self._patiently(lambda: put_keys(self._peers, self._job, chunk.rows))

        # While exam stores a chunk, grading takes the keys of the next.
        async with aclosing(one_ahead(remaining(), keyed)) as chunks:
            async for chunk, keys in chunks:
                await self._store_chunk(chunk, keys)

    async def _store_chunk(self, chunk: _Chunk, keyed: list[Verdict]) -> None:
        verdicts = await self._patiently(lambda: store_rows(self._peers, self._job, chunk.rows, keyed))
        await self._record(chunk, verdicts)

    async def _record(self, chunk: _Chunk, verdicts: list[Verdict]) -> None:
        outcomes = Counter(verdict.outcome for verdict in verdicts)
        failed = [
            FailedRow(row.row, row.cells, (verdict.fault,))
            for row, verdict in zip(chunk.rows, verdicts, strict=True)
            if verdict.fault
        ]
        progress = Progress(
            processed_rows=chunk.processed,
            imported=outcomes["imported"],
            updated=outcomes["updated"],
            skipped=len(failed),
            errors=len(failed),
            through_row=chunk.through_row,
        )
        async with self._db.transaction() as tx:
            await repository.insert_failed(tx.conn, self._job.id, failed)
            await repository.add_progress(tx.conn, self._job.id, self.owner, progress)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until the services are there. Raises PutOff, and as AppError what waiting doesn't mend."""
        pause, waited = FIRST_PAUSE_SECONDS, 0.0
        while True:
            try:
                return await attempt()
            except AppError as error:
                if error.kind not in WAITED_FOR:
                    raise
                log.warning("import_waits", job_id=str(self._job.id), code=error.code, kind=error.kind)
                if waited >= self._patience:
                    raise PutOff from error
            wait = pause * (0.5 + random.random())  # noqa: S311 - jitter
            await asyncio.sleep(wait)
            waited += wait
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _finish(self, tx: Tx, failure: tuple[str, str] = ("", "")) -> None:
        job = await repository.finish(tx.conn, self._job.id, self.owner, failure=failure)
        await tx.audit(
            AuditEntry(
                actor_id=job.created_by,
                action="import.failed" if failure[0] else "import.completed",
                object_type="import",
                object_id=job.id,
                after={
                    "kind": job.kind,
                    "dry_run": job.dry_run,
                    "total_rows": job.total_rows,
                    "imported": job.imported,
                    "updated": job.updated,
                    "skipped": job.skipped,
                    "failure_code": job.failure_code,
                },
                request_id=job.request_id,
            )
        )
        _count(job)


def _failed(row: Good | Bad, refusal: RowFault | None) -> FailedRow | None:
    if isinstance(row, Bad):
        faults = tuple(RowFault(fault.column, fault.code, fault.message) for fault in row.faults)
        return FailedRow(row.row, row.cells, faults)
    return FailedRow(row.row, row.cells, (refusal,)) if refusal else None


def _rows_invalid(bad: int, total: int) -> str:
    rows = "1 row has" if bad == 1 else f"{bad} rows have"
    return f"{rows} errors, of {total}, so nothing was imported: correct them, or import with skip_rows."


def _count(job: Job) -> None:
    outcome = "dry_run" if job.dry_run and job.status is Status.COMPLETED else job.failure_code or job.status
    metrics.jobs_ended.labels(job.kind, outcome).inc()
    if not job.dry_run:
        for what, number in (("imported", job.imported), ("updated", job.updated), ("skipped", job.skipped)):
            metrics.rows.labels(job.kind, what).inc(number)
    if job.finished_at is not None:
        metrics.job_seconds.labels(job.kind).observe((job.finished_at - job.created_at).total_seconds())
