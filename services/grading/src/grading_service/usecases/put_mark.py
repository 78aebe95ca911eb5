"""A marker's mark on one answer."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database
from examkit.errors import FieldError, conflict, invalid, not_found
from examkit.ids import uuid7

from grading_service import metrics
from grading_service.domain.regrading import RegradePolicy
from grading_service.domain.scoring import Mark, totals
from grading_service.domain.student_view import GradedItem
from grading_service.repository import grades
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import Paper, PaperCache
from grading_service.usecases.grade_attempts import write_views

MOST_COMMENT = 10_000


async def put_mark(
    db: Database,
    cache: PaperCache,
    student_exam_id: UUID,
    question_id: UUID,
    score: int,
    comment: str,
    marker_id: UUID,
    now: datetime,
) -> tuple[GradedAttempt, list[GradedItem]]:
    """Give an answer `score` hundredths of points; an earlier mark is replaced and stays in the history.

    Returns the grade as it is then, with its items. Raises: not_found, invalid, conflict `not_markable`.
    """
    if len(comment) > MOST_COMMENT:
        raise invalid(
            "The comment is too long.", FieldError(("comment",), f"At most {MOST_COMMENT} characters.")
        )
    async with db.transaction() as tx:
        grade = await grades.lock(tx.conn, student_exam_id)
        if grade is None:
            raise not_found("There is no graded attempt of this id.")
        if grade.withdrawn:
            raise conflict("not_markable", "The attempt was reopened or declared void since it was graded.")
        pair = (grade.student_id, grade.student_exam_id)
        items = (await grades.items(tx.conn, [pair])).get(student_exam_id, [])
        place = _place(items, question_id)
        before = items[place]
        paper = await cache.get(tx.conn, grade.exam_id, grade.rules_version)
        _check(before, paper, score)
        given = Mark("graded", score == before.max_score, score)
        marked = replace(before, mark=given, comment=comment, marked_by=str(marker_id), marked_score=score)
        items[place] = marked
        sums = totals((item.mark, item.max_score) for item in items)
        grade = replace(grade, totals=sums, graded_at=now, revision=grade.revision + 1)
        await grades.put_mark(tx.conn, grade, marked, uuid7(), marker_id)
        await grades.put_totals(tx.conn, grade)
        await write_views(tx, [(paper, grade, items)])
        await tx.audit(_entry(grade, before, marked, marker_id))
    metrics.marks.inc()
    return grade, items


def _place(items: list[GradedItem], question_id: UUID) -> int:
    for place, item in enumerate(items):
        if item.question_id == str(question_id):
            return place
    raise not_found("The attempt has no such question.")


def _check(item: GradedItem, paper: Paper, score: int) -> None:
    override = paper.by_id[item.question_id].rule.override
    if override is RegradePolicy.EXCLUDE:
        raise conflict("not_markable", "This question was excluded from the exam.")
    if override is RegradePolicy.FULL_MARKS:
        raise conflict("not_markable", "Everyone has full marks for this question. Roll that back first.")
    if not 0 <= score <= item.max_score:
        most = f"{item.max_score / 100:.2f}"
        raise invalid("The score is out of range.", FieldError(("score",), f"Give 0 to {most} points."))


def _entry(grade: GradedAttempt, before: GradedItem, after: GradedItem, marker_id: UUID) -> AuditEntry:
    return AuditEntry(
        actor_id=marker_id,
        action="answer.marked",
        object_type="attempt",
        object_id=grade.student_exam_id,
        before={"question_id": before.question_id, "score": _points(before), "comment": before.comment},
        after={"question_id": after.question_id, "score": _points(after), "comment": after.comment},
    )


def _points(item: GradedItem) -> float | None:
    return None if item.mark.score is None else item.mark.score / 100
