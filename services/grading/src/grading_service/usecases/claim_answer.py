"""A marker takes an answer for a while, so that nobody else marks it meanwhile, and gives it back."""

from datetime import UTC, datetime
from uuid import UUID

from examkit.db import Database, Tx
from examkit.errors import AppError, conflict, not_found

from grading_service.repository import claims, grades
from grading_service.repository.claims import AnswerKey, Claim


async def claim_answer(
    db: Database, student_exam_id: UUID, question_id: UUID, marker_id: UUID, now: datetime
) -> Claim:
    """Hold it for 15 minutes from now; who holds it already holds it longer. It may be marked before.

    Raises: not_found, conflict `claimed`.
    """
    async with db.transaction() as tx:
        key = await _key(tx, student_exam_id, question_id)
        taken = await claims.take(tx.conn, [key], marker_id, now)
        claim = await claims.held(tx.conn, key, now)
    if claim is None or not taken:
        raise claimed(claim)
    return claim


async def release_answer(db: Database, student_exam_id: UUID, question_id: UUID, marker_id: UUID) -> None:
    """Give it back; what this marker does not hold stays as it is. Raises: not_found."""
    async with db.transaction() as tx:
        await claims.drop(tx.conn, await _key(tx, student_exam_id, question_id), marker_id)


def claimed(claim: Claim | None) -> AppError:
    """For who comes second. `claim` None: it has ended in the meantime."""
    told = {}
    if claim is not None:
        until = claim.until.astimezone(UTC).isoformat().replace("+00:00", "Z")
        told = {"claimed_by": str(claim.marker_id), "claimed_until": until}
    return conflict("claimed", "Somebody else is marking this answer.", **told)


async def _key(tx: Tx, student_exam_id: UUID, question_id: UUID) -> AnswerKey:
    for grade in await grades.by_attempts(tx.conn, [student_exam_id]):
        items = await grades.items(tx.conn, [(grade.student_id, student_exam_id)])
        if any(item.question_id == str(question_id) for item in items[student_exam_id]):
            return grade.student_id, student_exam_id, question_id
    raise not_found("There is no graded answer of this attempt and question.")
