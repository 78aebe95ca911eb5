"""Grades that a regrade changes, and every score that was replaced: one statement for each table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from examkit.ids import uuid7
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.student_view import GradedItem
from grading_service.repository.grade_batches import document, recordset
from grading_service.repository.grades import GradedAttempt
from grading_service.tables import score_history

_ITEM = {
    "student_id": "uuid",
    "student_exam_id": "uuid",
    "question_id": "uuid",
    "status": "text",
    "is_correct": "boolean",
    "score": "bigint",
    "marked_score": "bigint",
}
_PUT_ITEMS = sa.text(
    f"""
    UPDATE grade_items SET status = item.status, is_correct = item.is_correct, score = item.score,
                           marked_score = item.marked_score
    FROM {recordset("item", _ITEM)}
    WHERE grade_items.student_id = item.student_id AND grade_items.student_exam_id = item.student_exam_id
          AND grade_items.question_id = item.question_id
    """  # noqa: S608 - names of ours
)
_GRADE = {
    "student_id": "uuid",
    "student_exam_id": "uuid",
    "total": "bigint",
    "max_possible": "bigint",
    "percentage": "int",
    "graded_count": "int",
    "pending_count": "int",
    "rules_version": "int",
    "revision": "bigint",
    "changes": "jsonb",
    "graded_at": "timestamptz",
}
_PUT_GRADES = sa.text(
    f"""
    UPDATE grades SET {", ".join(f"{name} = grade.{name}" for name in _GRADE if "student" not in name)}
    FROM {recordset("grade", _GRADE)}
    WHERE grades.student_id = grade.student_id AND grades.student_exam_id = grade.student_exam_id
    """  # noqa: S608 - names of ours
)


@dataclass(frozen=True)
class Change:
    """A grade before and after a regrade, the item that it is about, and all items as they are after it."""

    before: GradedAttempt
    after: GradedAttempt
    item_before: GradedItem
    item_after: GradedItem
    items: Sequence[GradedItem]

    @property
    def is_one(self) -> bool:
        return self.item_before.mark != self.item_after.mark


async def put_changes(conn: AsyncConnection, changes: Sequence[Change]) -> None:
    """Store the grades as they are after it, the items where they differ."""
    items = [_item_row(change) for change in changes if change.is_one]
    if items:
        await conn.execute(_PUT_ITEMS, document(items))
    await conn.execute(_PUT_GRADES, document([_grade_row(change.after) for change in changes]))


async def keep_regraded(
    conn: AsyncConnection, regrade_id: UUID, changes: Sequence[Change], now: datetime
) -> None:
    """Add what the regrade replaced."""
    rows = [
        _history_row(change.before, change.item_before, now)
        | {
            "regrade_id": regrade_id,
            "status_after": change.item_after.mark.status,
            "score_after": change.item_after.mark.score,
            "total_after": change.after.totals.total,
            "max_after": change.after.totals.max_possible,
        }
        for change in changes
    ]
    if rows:
        await conn.execute(score_history.insert(), rows)


async def keep_replaced(
    conn: AsyncConnection, grades: Sequence[tuple[GradedAttempt, Sequence[GradedItem]]], now: datetime
) -> None:
    """Add the scores of grades that give way to those of another version of their attempts."""
    rows = [_history_row(grade, item, now) for grade, items in grades for item in items]
    if rows:
        await conn.execute(score_history.insert(), rows)


def _item_row(change: Change) -> dict[str, Any]:
    item = change.item_after
    return {
        "student_id": change.after.student_id,
        "student_exam_id": change.after.student_exam_id,
        "question_id": item.question_id,
        "status": item.mark.status,
        "is_correct": item.mark.is_correct,
        "score": item.mark.score,
        "marked_score": item.marked_score,
    }


def _grade_row(grade: GradedAttempt) -> dict[str, Any]:
    return {
        "student_id": grade.student_id,
        "student_exam_id": grade.student_exam_id,
        "total": grade.totals.total,
        "max_possible": grade.totals.max_possible,
        "percentage": grade.totals.percentage,
        "graded_count": grade.totals.graded_count,
        "pending_count": grade.totals.pending_count,
        "rules_version": grade.rules_version,
        "revision": grade.revision,
        "changes": grade.changes,
        "graded_at": grade.graded_at,
    }


def _history_row(grade: GradedAttempt, item: GradedItem, now: datetime) -> dict[str, Any]:
    return {
        "student_id": grade.student_id,
        "student_exam_id": grade.student_exam_id,
        "question_id": UUID(item.question_id),
        "id": uuid7(),
        "attempt_no": grade.attempt_no,
        "attempt_version": grade.attempt_version,
        "status_before": item.mark.status,
        "score_before": item.mark.score,
        "total_before": grade.totals.total,
        "max_before": grade.totals.max_possible,
        "at": now,
    }
