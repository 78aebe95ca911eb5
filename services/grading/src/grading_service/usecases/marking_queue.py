"""The answers that wait for a marker, with what the marker needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from examkit.db import Database
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.marking import CLAIM
from grading_service.repository import claims, queue
from grading_service.repository.claims import Claim
from grading_service.repository.papers import Paper, PaperCache
from grading_service.repository.queue import PendingAnswer, Place, WaitingQuestion, Wanted

TRIES = 3


@dataclass(frozen=True)
class Queued:
    """An answer that waits; `guidance` is what its question's author says of the right answer."""

    answer: PendingAnswer
    guidance: str


async def list_queue(
    db: Database, cache: PaperCache, wanted: Wanted, limit: int, after: Place | None, now: datetime
) -> tuple[list[Queued], list[WaitingQuestion]]:
    """The next answers, and how many wait of each question; filters hold for both."""
    async with db.reading() as conn:
        answers = await queue.pending(conn, wanted, limit, after, now)
        waiting = await queue.by_question(conn, wanted)
        return await _guided(conn, cache, answers), waiting


async def claim_next(
    db: Database, cache: PaperCache, wanted: Wanted, limit: int, marker_id: UUID, now: datetime
) -> tuple[list[Queued], list[WaitingQuestion]]:
    """Claim the next answers that nobody else holds; those that this marker holds already are among them."""
    async with db.transaction() as tx:
        answers: list[PendingAnswer] = []
        for _ in range(TRIES):
            found = await queue.pending(tx.conn, wanted, limit, None, now)
            taken = await claims.take(tx.conn, [one.key for one in found], marker_id, now)
            mine = Claim(marker_id, now + CLAIM)
            answers = [
                replace(one, claim=mine) for one in found if (one.student_exam_id, one.question_id) in taken
            ]
            # Who took them first has committed, so the next look passes over them.
            if answers or not found:
                break
        waiting = await queue.by_question(tx.conn, wanted)
        return await _guided(tx.conn, cache, answers), waiting


async def _guided(conn: AsyncConnection, cache: PaperCache, answers: Sequence[PendingAnswer]) -> list[Queued]:
    # What authors say of their questions is the same in every version of the rules.
    papers = {one: await cache.get(conn, one, 0) for one in {answer.exam_id for answer in answers}}
    return [Queued(answer, _guidance(papers[answer.exam_id], answer)) for answer in answers]


def _guidance(paper: Paper, answer: PendingAnswer) -> str:
    return paper.by_id[str(answer.question_id)].explanation
