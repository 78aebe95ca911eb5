"""Results as their students may see them, in Postgres: grade, policy and view in one query."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.release import ExamPolicy
from grading_service.repository.grades import GradedAttempt, grade_of
from grading_service.repository.policies import policy_of

# `revealed` decides what is shown; what it can't allow now doesn't leave the table either.
_STORED = sa.text(
    """
    SELECT grades.*, title, result_policy, reveal, closed, end_time, last_possible_end, released_at,
           CASE WHEN reveal <> 'score' THEN CAST(plain AS text) END AS plain,
           CASE WHEN reveal = 'answers' AND last_possible_end <= :now
                     AND grades.exam_id = ANY (CAST(:over AS uuid[]))
                THEN CAST(revealing AS text) END AS revealing
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[])) AS wanted (student_id, attempt_id)
         JOIN grades ON grades.student_id = wanted.student_id
              AND grades.student_exam_id = wanted.attempt_id AND NOT grades.withdrawn
         JOIN exam_policies ON exam_policies.exam_id = grades.exam_id
         LEFT JOIN student_views ON student_views.student_id = wanted.student_id
              AND student_views.student_exam_id = wanted.attempt_id
    """
)


@dataclass(frozen=True)
class StoredResult:
    """A grade, what is known of its exam, and the result items as JSON without and with the right answers."""

    grade: GradedAttempt
    exam: ExamPolicy
    plain: str | None
    revealing: str | None


async def by_attempts(
    conn: AsyncConnection, attempts: Sequence[tuple[UUID, UUID]], now: datetime, over: Collection[UUID] = ()
) -> dict[tuple[UUID, UUID], StoredResult]:
    """Those of these (student, attempt) pairs that are graded; an attempt of another student is not found.

    Right answers come of the exams in `over` alone.
    """
    values = {
        "students": [student_id for student_id, _ in attempts],
        "attempts": [attempt_id for _, attempt_id in attempts],
        "now": now,
        "over": list(over),
    }
    rows = (await conn.execute(_STORED, values)).all()
    return {
        (row.student_id, row.student_exam_id): StoredResult(
            grade_of(row), policy_of(row), row.plain, row.revealing
        )
        for row in rows
    }


def decoded(items: str | None) -> list[dict[str, Any]]:
    return [] if items is None else msgspec.json.decode(items, type=list[dict[str, Any]])
