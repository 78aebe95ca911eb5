"""Answers that wait for a marker, in Postgres: by student or by question, with who holds which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.repository.claims import AnswerKey, Claim
from grading_service.repository.withdrawals import counts
from grading_service.tables import claims, grade_items

Place = tuple[Any, ...]
"""The values of the last answer in the columns of its order."""


class GroupBy(StrEnum):
    """What is marked in one go: all answers of a student, or all answers to a question."""

    STUDENT = "student"
    QUESTION = "question"


_c = grade_items.c
_ORDERS = {
    GroupBy.STUDENT: (_c.closed_at, _c.student_exam_id, _c.question_id),
    GroupBy.QUESTION: (_c.exam_id, _c.position, _c.closed_at, _c.student_exam_id),
}


@dataclass(frozen=True)
class Wanted:
    """Which answers, and in which order. `free_for`: without those that somebody else holds."""

    exam_id: UUID | None = None
    question_id: UUID | None = None
    group_by: GroupBy = GroupBy.STUDENT
    free_for: UUID | None = None


@dataclass(frozen=True)
class PendingAnswer:
    """An answer that waits for a mark of `max_score` hundredths at the most; `claim`: who holds it."""

    student_id: UUID
    student_exam_id: UUID
    exam_id: UUID
    question_id: UUID
    position: int
    max_score: int
    answer: Any
    closed_at: datetime
    mark_version: int
    claim: Claim | None

    @property
    def key(self) -> AnswerKey:
        return self.student_id, self.student_exam_id, self.question_id

    def place(self, group_by: GroupBy) -> Place:
        return tuple(getattr(self, column.name) for column in _ORDERS[group_by])


@dataclass(frozen=True)
class WaitingQuestion:
    exam_id: UUID
    question_id: UUID
    position: int
    waiting: int


async def pending(
    conn: AsyncConnection, wanted: Wanted, limit: int, after: Place | None, now: datetime
) -> list[PendingAnswer]:
    """The next ones, strictly after this place of the same order."""
    order = _ORDERS[wanted.group_by]
    held = sa.and_(
        claims.c.student_id == _c.student_id,
        claims.c.student_exam_id == _c.student_exam_id,
        claims.c.question_id == _c.question_id,
        claims.c.until > now,
    )
    query = (
        sa.select(grade_items, claims.c.marker_id, claims.c.until)
        .select_from(grade_items.outerjoin(claims, held))
        .where(*_waiting(wanted))
    )
    if wanted.free_for is not None:
        query = query.where(sa.or_(claims.c.marker_id.is_(None), claims.c.marker_id == wanted.free_for))
    if after is not None:
        query = query.where(sa.tuple_(*order) > sa.tuple_(*(sa.literal(part) for part in after)))
    return [_answer(row) for row in (await conn.execute(query.order_by(*order).limit(limit))).all()]


async def by_question(conn: AsyncConnection, wanted: Wanted) -> list[WaitingQuestion]:
    """How many wait, of each question; held by somebody or not."""
    question = (_c.exam_id, _c.question_id, _c.position)
    query = (
        sa.select(*question, sa.func.count())
        .where(*_waiting(wanted))
        .group_by(*question)
        .order_by(_c.exam_id, _c.position)
    )
    return [WaitingQuestion(*row) for row in (await conn.execute(query)).all()]


def _waiting(wanted: Wanted) -> Sequence[sa.ColumnElement[bool]]:
    conditions = [_c.status == "pending", counts(grade_items)]
    if wanted.exam_id is not None:
        conditions.append(_c.exam_id == wanted.exam_id)
    if wanted.question_id is not None:
        conditions.append(_c.question_id == wanted.question_id)
    return conditions


def _answer(row: sa.Row[Any]) -> PendingAnswer:
    return PendingAnswer(
        student_id=row.student_id,
        student_exam_id=row.student_exam_id,
        exam_id=row.exam_id,
        question_id=row.question_id,
        position=row.position,
        max_score=row.max_score,
        answer=row.answer,
        closed_at=row.closed_at,
        mark_version=row.mark_version,
        claim=None if row.marker_id is None else Claim(row.marker_id, row.until),
    )
