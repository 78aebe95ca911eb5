"""Grades, their items and marks in Postgres. `grade_batches` writes the grades of closed attempts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.scoring import Mark, Totals
from grading_service.domain.student_view import GradedItem
from grading_service.repository.withdrawals import counts
from grading_service.tables import grade_items, grades, mark_history


@dataclass(frozen=True)
class GradedAttempt:
    """The head of a grade: which attempt, at which version, with what sums.

    `withdrawn`: the attempt was reopened or declared void since.
    `rules_version`: the regrades of the exam that are in it; `revision` counts what the grade has been;
    `changes`: what regrades did to it, as its student is told.
    """

    student_id: UUID
    student_exam_id: UUID
    exam_id: UUID
    attempt_no: int
    attempt_version: int
    status: str
    started_at: datetime
    closed_at: datetime
    totals: Totals
    letterings: Mapping[str, Sequence[str]]
    graded_at: datetime
    withdrawn: bool = False
    rules_version: int = 0
    revision: int = 1
    changes: Sequence[Mapping[str, Any]] = ()


def _sums(totals: Totals) -> dict[str, int]:
    return {
        "total": totals.total,
        "max_possible": totals.max_possible,
        "percentage": totals.percentage,
        "graded_count": totals.graded_count,
        "pending_count": totals.pending_count,
    }


async def put_totals(conn: AsyncConnection, grade: GradedAttempt) -> None:
    values = _sums(grade.totals) | {"graded_at": grade.graded_at, "revision": grade.revision}
    await conn.execute(grades.update().where(*_is(grades, grade)).values(**values))


async def put_mark(
    conn: AsyncConnection, grade: GradedAttempt, item: GradedItem, mark_id: UUID, marked_by: UUID
) -> None:
    """Store a manual mark: on the item, and for good in the history."""
    question_id = UUID(item.question_id)
    await conn.execute(
        grade_items.update()
        .where(*_is(grade_items, grade), grade_items.c.question_id == question_id)
        .values(
            status=item.mark.status,
            is_correct=item.mark.is_correct,
            score=item.mark.score,
            comment=item.comment,
            marked_by=marked_by,
            marked_score=item.marked_score,
            criteria=list(item.criteria),
            mark_version=item.mark_version,
        )
    )
    await conn.execute(
        mark_history.insert().values(
            student_id=grade.student_id,
            student_exam_id=grade.student_exam_id,
            question_id=question_id,
            id=mark_id,
            score=item.mark.score,
            comment=item.comment,
            marked_by=marked_by,
            criteria=list(item.criteria),
        )
    )


async def lock(conn: AsyncConnection, student_exam_id: UUID) -> GradedAttempt | None:
    """The grade of an attempt, locked for a change of its marks."""
    query = sa.select(grades).where(grades.c.student_exam_id == student_exam_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else grade_of(row)


async def by_attempts(conn: AsyncConnection, student_exam_ids: Collection[UUID]) -> list[GradedAttempt]:
    query = sa.select(grades).where(grades.c.student_exam_id.in_(list(student_exam_ids)), counts(grades))
    return [grade_of(row) for row in (await conn.execute(query)).all()]


async def list_of_student(
    conn: AsyncConnection, student_id: UUID, limit: int, after: tuple[datetime, UUID] | None
) -> list[GradedAttempt]:
    """Newest first, strictly after the given closing moment and attempt."""
    place = sa.tuple_(grades.c.closed_at, grades.c.student_exam_id)
    query = sa.select(grades).where(grades.c.student_id == student_id, counts(grades))
    if after is not None:
        query = query.where(place < sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    query = query.order_by(grades.c.closed_at.desc(), grades.c.student_exam_id.desc()).limit(limit)
    return [grade_of(row) for row in (await conn.execute(query)).all()]


async def items(
    conn: AsyncConnection, attempts: Collection[tuple[UUID, UUID]]
) -> dict[UUID, list[GradedItem]]:
    """The items of these (student, attempt) pairs, by attempt, in the order of the paper."""
    key = sa.tuple_(grade_items.c.student_id, grade_items.c.student_exam_id)
    query = (
        sa.select(grade_items)
        .where(key.in_(list(attempts)))
        .order_by(grade_items.c.student_exam_id, grade_items.c.position)
    )
    found: dict[UUID, list[GradedItem]] = {}
    for row in (await conn.execute(query)).all():
        found.setdefault(row.student_exam_id, []).append(_item(row))
    return found


def _is(table: sa.Table, grade: GradedAttempt) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.student_id == grade.student_id, table.c.student_exam_id == grade.student_exam_id


def grade_of(row: sa.Row[Any]) -> GradedAttempt:
    """A row with the columns of `grades`."""
    sums = Totals(row.total, row.max_possible, row.percentage, row.graded_count, row.pending_count)
    return GradedAttempt(
        student_id=row.student_id,
        student_exam_id=row.student_exam_id,
        exam_id=row.exam_id,
        attempt_no=row.attempt_no,
        attempt_version=row.attempt_version,
        status=row.status,
        started_at=row.started_at,
        closed_at=row.closed_at,
        totals=sums,
        letterings=row.letterings,
        graded_at=row.graded_at,
        withdrawn=row.withdrawn,
        rules_version=row.rules_version,
        revision=row.revision,
        changes=row.changes,
    )


def _item(row: sa.Row[Any]) -> GradedItem:
    # Marks of before there were regrades are in the score alone.
    marked_score = row.score if row.marked_score is None and row.marked_by is not None else row.marked_score
    return GradedItem(
        question_id=str(row.question_id),
        max_score=row.max_score,
        mark=Mark(row.status, row.is_correct, row.score),
        answer=row.answer,
        shown=row.shown,
        comment=row.comment,
        marked_by=None if row.marked_by is None else str(row.marked_by),
        marked_score=marked_score,
        criteria=row.criteria,
        mark_version=row.mark_version,
    )
