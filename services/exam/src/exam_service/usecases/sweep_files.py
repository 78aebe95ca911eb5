"""Removing the files that nothing names any more."""

from examkit.db import Database

from exam_service import metrics
from exam_service.domain.file import KEPT_UNNAMED
from exam_service.file_store import FileStore
from exam_service.repository import files

BATCH = 100


async def sweep_files(db: Database, store: FileStore, batch: int = BATCH) -> int:
    """Remove a batch of them; how many it was.

    The bytes go before the rows are committed away: whatever breaks in between, the next sweep does it again.
    """
    async with db.transaction() as tx:
        paths = await files.sweep(tx.conn, KEPT_UNNAMED, batch)
        for path in paths:
            await store.delete(path)
    metrics.files_swept.inc(len(paths))
    return len(paths)
