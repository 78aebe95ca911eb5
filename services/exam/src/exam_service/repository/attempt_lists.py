"""Attempts as staff see them: who sits an exam and how far they are. The status is that by the clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt, Status
from exam_service.repository.attempts import FIELDS, attempt_of
from exam_service.tables import exams, student_answers, student_exams

_STATUS = sa.case(
    (
        sa.and_(student_exams.c.status == "in_progress", student_exams.c.deadline < sa.func.now()),
        "expired",
    ),
    else_=student_exams.c.status,
)


@dataclass(frozen=True, slots=True)
class Summary:
    attempt: Attempt
    status: Status
    answered_count: int
    question_count: int
    now: datetime


async def list_attempts(
    conn: AsyncConnection, exam_id: UUID, *, limit: int, after: UUID | None, status: Status | None
) -> list[Summary]:
    """The attempts at an exam in the order in which they began; `after`: the last one seen."""
    query = _summaries().where(student_exams.c.exam_id == exam_id).order_by(student_exams.c.id).limit(limit)
    if after is not None:
        query = query.where(student_exams.c.id > after)
    if status is not None:
        query = query.where(_STATUS.in_([status.value]))
    return [_summary(row) for row in await conn.execute(query)]


async def find_attempt(conn: AsyncConnection, attempt_id: UUID) -> Summary | None:
    row = (await conn.execute(_summaries().where(student_exams.c.id == attempt_id))).one_or_none()
    return None if row is None else _summary(row)


def _summaries() -> "sa.Select[Any]":
    answered = (
        sa.select(sa.func.count())
        .select_from(student_answers)
        .where(
            student_answers.c.student_id == student_exams.c.student_id,
            student_answers.c.student_exam_id == student_exams.c.id,
            sa.func.jsonb_typeof(student_answers.c.answer) != "null",
        )
        .scalar_subquery()
    )
    return sa.select(
        *(student_exams.c[name] for name in FIELDS),
        _STATUS.label("by_clock"),
        answered.label("answered"),
        exams.c.question_count,
        sa.func.clock_timestamp().label("now"),
    ).join(exams, exams.c.id == student_exams.c.exam_id)


def _summary(row: Any) -> Summary:
    return Summary(attempt_of(row), Status(row.by_clock), row.answered, row.question_count, row.now)
