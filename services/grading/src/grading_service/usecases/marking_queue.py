"""The answers that wait for a marker, with what the marker needs to know."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from examkit.db import Database

from grading_service.repository import grades
from grading_service.repository.grades import PendingAnswer
from grading_service.repository.papers import Paper, PaperCache

Place = tuple[datetime, UUID, UUID]
"""(closed_at, attempt, question), by which the queue is ordered."""


@dataclass(frozen=True)
class Queued:
    """An answer that waits; `guidance` is what its question's author says of the right answer."""

    answer: PendingAnswer
    guidance: str


async def list_queue(
    db: Database, cache: PaperCache, exam_id: UUID | None, limit: int, after: Place | None
) -> tuple[list[Queued], int]:
    """The next answers of this exam (None: of all exams), oldest first, and how many wait in all."""
    async with db.reading() as conn:
        answers = await grades.pending_answers(conn, exam_id, limit, after)
        total = await grades.pending_total(conn, exam_id)
        # What authors say of their questions is the same in every version of the rules.
        papers = {one: await cache.get(conn, one, 0) for one in {answer.exam_id for answer in answers}}
    return [Queued(answer, _guidance(papers[answer.exam_id], answer)) for answer in answers], total


def _guidance(paper: Paper, answer: PendingAnswer) -> str:
    found = (one for one in paper.questions if one.question.question_id == answer.question_id)
    return next((one.explanation for one in found), "")
