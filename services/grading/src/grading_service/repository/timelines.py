"""What is stored of one attempt's grade, by time. No answers, keys or scores."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_GRADE = sa.text(
    "SELECT attempt_version, status, graded_count, pending_count, graded_at, withdrawn FROM grades"
    " WHERE student_exam_id = :id"
)
_MOMENTS = sa.text(
    """
    SELECT at, concat_ws(' ', action, 'by', actor_kind, actor_id, '(' || reason || ')') AS what
    FROM audit WHERE object_id = CAST(:id AS text)
    UNION ALL
    SELECT written_at, format('%s waits for the broker', type)
    FROM outbox WHERE subject = CAST(:id AS text)
    ORDER BY at
    """
)


async def grade(conn: AsyncConnection, student_exam_id: UUID) -> Any:
    """The grade's version, status, counts and time; None where there is none."""
    return (await conn.execute(_GRADE, {"id": student_exam_id})).one_or_none()


async def moments(conn: AsyncConnection, student_exam_id: UUID) -> list[tuple[datetime, str]]:
    """What was done to the grade, the oldest first."""
    return [(row.at, row.what) for row in await conn.execute(_MOMENTS, {"id": student_exam_id})]
