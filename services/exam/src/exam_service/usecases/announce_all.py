"""Telling others everything again: after RabbitMQ lost what it held, or a backup was restored.

What is told is known by its version, so that whoever knows it already changes nothing.
"""

from dataclasses import dataclass

from examkit.db import Database

from exam_service.repository import exams, grades
from exam_service.repository.papers import PaperCache
from exam_service.usecases.exam_events import publish_exam_changed
from exam_service.usecases.tend_attempts import announce_ungraded


@dataclass(frozen=True)
class Announced:
    exams: int
    attempts: int


async def announce_all(db: Database, papers: PaperCache) -> Announced:
    """Publish ExamChanged of every exam but drafts, and AttemptClosed of what has no grade; how many it was.

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
    return Announced(len(exam_ids), attempts)
