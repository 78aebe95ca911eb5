"""Removing the files that nothing names any more."""

import asyncio
from datetime import timedelta

import structlog
from examkit.db import Database

from exam_service import metrics
from exam_service.domain.file import KEPT_UNNAMED
from exam_service.file_store import FileStore
from exam_service.repository import files

BATCH = 20
AT_ONCE = 5
RETRY = timedelta(minutes=30)
"""Less than the pause between two sweeps: each tries anew what the last one failed at."""

log = structlog.get_logger(__name__)


async def sweep_files(db: Database, store: FileStore, batch: int = BATCH) -> int:
    """Try to remove a batch of them; how many were tried.

    Marked first, then the bytes, then the rows: whatever breaks in between, a later sweep does it again,
    and no transaction waits for the store.
    """
    async with db.transaction() as tx:
        going = await files.mark_going(tx.conn, KEPT_UNNAMED, RETRY, batch)
    if not going:
        return 0
    turn = asyncio.Semaphore(AT_ONCE)

    async def delete(file: files.Going) -> None:
        async with turn:
            await store.delete(file.path)

    outcomes = await asyncio.gather(*(delete(file) for file in going), return_exceptions=True)
    failed = [outcome for outcome in outcomes if outcome is not None]
    if failed:
        log.warning("files_not_removed", count=len(failed), first=repr(failed[0]))
    gone = [file for file, outcome in zip(going, outcomes, strict=True) if outcome is None]
    async with db.transaction() as tx:
        await files.remove(tx.conn, gone)
    metrics.files_swept.inc(len(gone))
    return len(going)
