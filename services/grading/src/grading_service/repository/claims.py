"""Claims of markers on answers, in Postgres."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.marking import CLAIM
from grading_service.tables import claims

AnswerKey = tuple[UUID, UUID, UUID]
"""Student, attempt, question."""

_TAKE = sa.text(
    """
    INSERT INTO claims AS known (student_id, student_exam_id, question_id, marker_id, until)
    SELECT student_id, attempt_id, question_id, :marker_id, :until
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[]), CAST(:questions AS uuid[]))
         AS wanted (student_id, attempt_id, question_id)
    ORDER BY student_id, attempt_id, question_id
    ON CONFLICT (student_id, student_exam_id, question_id) DO UPDATE
    SET marker_id = excluded.marker_id, until = excluded.until
    WHERE known.until <= :now OR known.marker_id = excluded.marker_id
    RETURNING known.student_exam_id, known.question_id
    """
)


@dataclass(frozen=True)
class Claim:
    marker_id: UUID
    until: datetime


async def take(
    conn: AsyncConnection, answers: Collection[AnswerKey], marker_id: UUID, now: datetime
) -> set[tuple[UUID, UUID]]:
    """Claim those of these answers that nobody else holds: (attempt, question) of each. Again: longer."""
    values = {
        "students": [one[0] for one in answers],
        "attempts": [one[1] for one in answers],
        "questions": [one[2] for one in answers],
        "marker_id": marker_id,
        "now": now,
        "until": now + CLAIM,
    }
    return {(row[0], row[1]) for row in await conn.execute(_TAKE, values)}


async def held(conn: AsyncConnection, answer: AnswerKey, now: datetime) -> Claim | None:
    """Who holds this answer now."""
    query = sa.select(claims.c.marker_id, claims.c.until).where(_is(answer), claims.c.until > now)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Claim(row.marker_id, row.until)


async def drop(conn: AsyncConnection, answer: AnswerKey, marker_id: UUID | None = None) -> None:
    """End a claim: of this marker, or whoever's it is."""
    statement = claims.delete().where(_is(answer))
    if marker_id is not None:
        statement = statement.where(claims.c.marker_id == marker_id)
    await conn.execute(statement)


def _is(answer: Sequence[UUID]) -> sa.ColumnElement[bool]:
    c = claims.c
    return sa.and_(c.student_id == answer[0], c.student_exam_id == answer[1], c.question_id == answer[2])
