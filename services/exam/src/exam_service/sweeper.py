"""The workers that close what nobody submitted, settle what a crash left, and remove what nothing names."""

from examkit.db import Database
from examkit.workers import Worker, periodic

from exam_service.file_store import FileStore
from exam_service.repository.papers import PaperCache
from exam_service.usecases.deadlines import settle_what_is_left
from exam_service.usecases.sweep_files import sweep_files
from exam_service.usecases.tend_attempts import Aside, close_overdue, measure

EVERY_SECONDS = 1.0
SETTLE_EVERY_SECONDS = 10.0
MEASURE_EVERY_SECONDS = 10.0
FILES_EVERY_SECONDS = 3600.0


def sweeper(db: Database, papers: PaperCache) -> Worker:
    """Looks each second, and goes on at once while there was something to close."""
    aside = Aside()

    async def sweep() -> None:
        while await close_overdue(db, papers, aside=aside):
            pass

    return periodic("sweeper", EVERY_SECONDS, sweep)


def settler(db: Database) -> Worker:
    """Goes on with moving deadlines to a changed window where whoever changed it did not come to the end."""

    async def settle() -> None:
        await settle_what_is_left(db)

    return periodic("deadlines", SETTLE_EVERY_SECONDS, settle)


def gauges(db: Database) -> Worker:
    """Keeps the gauges of attempts and of the sweeper up to date."""

    async def take() -> None:
        await measure(db)

    return periodic("attempt gauges", MEASURE_EVERY_SECONDS, take)


def file_sweeper(db: Database, store: FileStore) -> Worker:
    """Looks each hour, and goes on at once while there was something to remove."""

    async def sweep() -> None:
        while await sweep_files(db, store):
            pass

    return periodic("files", FILES_EVERY_SECONDS, sweep)
