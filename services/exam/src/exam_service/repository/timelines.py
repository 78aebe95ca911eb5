"""What is stored of one attempt, by time. No answers: when they were saved, not what they say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt
from exam_service.repository.attempts import FIELDS, attempt_of

_ATTEMPT = sa.text(
    f"SELECT {', '.join(FIELDS)}, graded_version, announcements, announce_at"  # noqa: S608 - names of ours
    " FROM student_exams WHERE id = :id"
)
_MOMENTS = sa.text(
    """
    SELECT answer.saved_at AS at,
           format('question %s: revision %s is stored', paper.position, answer.revision) AS what
    FROM student_answers AS answer
         JOIN student_exams AS attempt ON attempt.student_id = answer.student_id
                                          AND attempt.id = answer.student_exam_id
         JOIN paper_questions AS paper ON paper.exam_id = attempt.exam_id
                                          AND paper.question_id = answer.question_id
    WHERE answer.student_id = :student_id AND answer.student_exam_id = :id
    UNION ALL
    SELECT received_at, format('the page told: %s', kind)
    FROM integrity_events WHERE student_id = :student_id AND student_exam_id = :id
    UNION ALL
    SELECT at, concat_ws(' ', action, 'by', actor_kind, actor_id, '(' || reason || ')')
    FROM audit WHERE object_id = CAST(:id AS text)
    UNION ALL
    SELECT written_at, format('%s waits for the broker', type)
    FROM outbox WHERE subject = CAST(:id AS text)
    """
)


@dataclass(frozen=True)
class Tended:
    """An attempt, and what exam knows of its grade: 0 and None where it has none to wait for."""

    attempt: Attempt
    graded_version: int
    announcements: int
    announce_at: datetime | None


async def find(conn: AsyncConnection, attempt_id: UUID) -> Tended | None:
    row: Any = (await conn.execute(_ATTEMPT, {"id": attempt_id})).one_or_none()
    if row is None:
        return None
    return Tended(attempt_of(row), row.graded_version, row.announcements, row.announce_at)


async def moments(conn: AsyncConnection, attempt: Attempt) -> list[tuple[datetime, str]]:
    """What happened and left a trace, in no order. Of each answer only the last save is kept."""
    rows = await conn.execute(_MOMENTS, {"student_id": attempt.student_id, "id": attempt.id})
    return [(row.at, row.what) for row in rows]
