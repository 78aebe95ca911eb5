"""The worker that sends closed attempts to grading again where no grade came: nothing stays ungraded."""

from examkit.db import Database
from examkit.workers import Worker, periodic

from exam_service.repository.papers import PaperCache
from exam_service.usecases.tend_attempts import BATCH, announce_ungraded

EVERY_SECONDS = 10.0


def reconciler(db: Database, papers: PaperCache, batch: int = BATCH) -> Worker:
    """Looks each ten seconds, and goes on at once while batches are full."""

    async def reconcile() -> None:
        while await announce_ungraded(db, papers, batch) >= batch:
            pass

    return periodic("reconciler", EVERY_SECONDS, reconcile)
