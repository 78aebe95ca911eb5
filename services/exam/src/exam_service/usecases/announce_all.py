"""Telling others everything again: after RabbitMQ lost what it held, or a backup was restored.

What is told is known by its version, so that whoever knows it already changes nothing.
"""

from dataclasses import dataclass
from uuid import UUID

from examkit.db import Database

from exam_service.repository import exams, grades, interventions
from exam_service.repository.papers import PaperCache
from exam_service.usecases.exam_events import publish_exam_changed
from exam_service.usecases.intervene import tell_withdrawn
from exam_service.usecases.tend_attempts import BATCH, announce_ungraded


@dataclass(frozen=True)
class Announced:
    exams: int
    attempts: int
    withdrawn: int = 0


async def announce_all(db: Database, papers: PaperCache) -> Announced:
    """Publish ExamChanged of every exam but drafts, AttemptClosed of what has no grade, and of what is void
    or was reopened that its grade does not count; how many it was.

    Not of those whose event still lies in the outbox. Raises DatabaseAway.
    """
    async with db.reading() as conn:
        exam_ids = await exams.told_of(conn)
    for exam_id in exam_ids:
        async with db.transaction() as tx:
            await publish_exam_changed(tx, exam_id)
    async with db.transaction() as tx:
        await grades.announce_now(tx.conn)
    attempts = 0
    while sent := await announce_ungraded(db, papers):
        attempts += sent
    return Announced(len(exam_ids), attempts, await _announce_withdrawn(db))


async def _announce_withdrawn(db: Database) -> int:
    told = 0
    last: UUID | None = None
    while True:
        async with db.transaction() as tx:
            found = await interventions.withdrawn(tx.conn, last, BATCH)
            for attempt in found:
                tell_withdrawn(tx, attempt)
        told += len(found)
        if len(found) < BATCH:
            return told
        last = found[-1].id
