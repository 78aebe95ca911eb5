"""The worker that sends closed attempts to grading again where no grade came: nothing stays ungraded."""

from examkit.db import Database
from examkit.workers import Worker, periodic

from exam_service.repository.papers import PaperCache
from exam_service.usecases.tend_attempts import announce_ungraded

EVERY_SECONDS = 10.0


def reconciler(db: Database, papers: PaperCache) -> Worker:
    """One batch each time: it makes up for what was lost, it need not be quick."""

    async def reconcile() -> None:
        await announce_ungraded(db, papers)

    return periodic("reconciler", EVERY_SECONDS, reconcile)
