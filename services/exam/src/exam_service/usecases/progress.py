"""What the monitor reads of an exam: who sits it, and how far they are."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from examkit.db import Database
from examkit.ids import parse_uuid

from exam_service import errors
from exam_service.repository import attempts, exams, progress
from exam_service.repository.exams import ExamRow
from exam_service.repository.progress import Progress

MOST = 200


async def list_progress(
    db: Database, exam_id: str, *, after: UUID | None, since: datetime | None
) -> tuple[ExamRow, Sequence[Progress], datetime, bool]:
    """The exam, a page of its attempts, the time at which it was read, and whether there are more.

    `since`: only what changed after this moment of the database's clock. Raises not_found.
    """
    exam_uuid = parse_uuid(exam_id, "exam")
    async with db.reading() as conn:
        exam = await exams.get_exam(conn, exam_uuid)
        if exam is None:
            raise errors.no_such_exam()
        now = await attempts.now(conn)
        found = await progress.page(conn, exam_uuid, after=after, since=since, limit=MOST + 1)
    return exam, found[:MOST], now, len(found) > MOST
