"""Whether an exam is over for everyone: what grading asks before it shows right answers."""

from uuid import UUID

from examkit.db import Database

from exam_service import errors
from exam_service.repository import attempts
from exam_service.usecases.exam_events import read_last_possible_ends


async def is_over(db: Database, exam_id: UUID) -> bool:
    """Whether nobody may sit the exam any more, by the database's clock, which judges saves too.

    Never for an exam without an end that is not closed. Raises not_found.
    """
    async with db.reading() as conn:
        now = await attempts.now(conn)
        ends = await read_last_possible_ends(conn, [exam_id])
    if exam_id not in ends:
        raise errors.no_such_exam()
    end = ends[exam_id]
    return end is not None and end < now
