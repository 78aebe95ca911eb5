"""A marker's mark on one answer."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database, Tx
from examkit.errors import conflict, invalid, not_found
from examkit.ids import uuid7

from grading_service import metrics
from grading_service.domain.marking import Criterion, mark_faults
from grading_service.domain.regrading import RegradePolicy
from grading_service.domain.scoring import Mark, totals
from grading_service.domain.student_view import GradedItem
from grading_service.repository import claims, grades
from grading_service.repository.claims import AnswerKey
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import Paper, PaperCache
from grading_service.usecases.claim_answer import claimed
from grading_service.usecases.grade_attempts import write_views


async def put_mark(
    db: Database,
    cache: PaperCache,
    student_exam_id: UUID,
    question_id: UUID,
    score: int,
    comment: str,
    marker_id: UUID,
    now: datetime,
    *,
    criteria: Sequence[Criterion] = (),
    expected_version: int | None = None,
) -> tuple[GradedAttempt, list[GradedItem]]:
    """Give an answer `score` hundredths of points; an earlier mark is replaced and stays in the history.

    `expected_version`: of the mark that was seen, None: whatever there is. It ends a claim. Returns the
    grade as it is then, with its items. Raises: not_found, invalid, conflict `not_markable`,
    `stale_version`, `claimed`.
    """
    async with db.transaction() as tx:
        grade, items = await _locked(tx, student_exam_id)
        place = _place(items, question_id)
        before = items[place]
        paper = await cache.get(tx.conn, grade.exam_id, grade.rules_version)
        _check(before, paper)
        _check_version(before, expected_version)
        if wrong := mark_faults(score, before.max_score, comment, criteria):
            raise invalid("This is no mark for the answer.", *wrong)
        await _end_claim(tx, (grade.student_id, student_exam_id, question_id), marker_id, now)
        marked = replace(
            before,
            mark=Mark("graded", score == before.max_score, score),
            comment=comment,
            marked_by=str(marker_id),
            marked_score=score,
            criteria=[asdict(one) for one in criteria],
            mark_version=before.mark_version + 1,
        )
        items[place] = marked
        sums = totals((item.mark, item.max_score) for item in items)
        grade = replace(grade, totals=sums, graded_at=now, revision=grade.revision + 1)
        await grades.put_mark(tx.conn, grade, marked, uuid7(), marker_id)
        await grades.put_totals(tx.conn, grade)
        await write_views(tx, [(paper, grade, items)])
        await tx.audit(_entry(grade, before, marked, marker_id))
    metrics.marks.inc()
    return grade, items


async def _locked(tx: Tx, student_exam_id: UUID) -> tuple[GradedAttempt, list[GradedItem]]:
    grade = await grades.lock(tx.conn, student_exam_id)
    if grade is None:
        raise not_found("There is no graded attempt of this id.")
    if grade.withdrawn:
        raise conflict("not_markable", "The attempt was reopened or declared void since it was graded.")
    items = await grades.items(tx.conn, [(grade.student_id, student_exam_id)])
    return grade, items.get(student_exam_id, [])


async def _end_claim(tx: Tx, answer: AnswerKey, marker_id: UUID, now: datetime) -> None:
    claim = await claims.held(tx.conn, answer, now)
    if claim is not None and claim.marker_id != marker_id:
        raise claimed(claim)
    await claims.drop(tx.conn, answer)


def _place(items: list[GradedItem], question_id: UUID) -> int:
    for place, item in enumerate(items):
        if item.question_id == str(question_id):
            return place
    raise not_found("The attempt has no such question.")


def _check(item: GradedItem, paper: Paper) -> None:
    override = paper.by_id[item.question_id].rule.override
    if override is RegradePolicy.EXCLUDE:
        raise conflict("not_markable", "This question was excluded from the exam.")
    if override is RegradePolicy.FULL_MARKS:
        raise conflict("not_markable", "Everyone has full marks for this question. Roll that back first.")


def _check_version(item: GradedItem, expected: int | None) -> None:
    if expected is None or expected == item.mark_version:
        return
    current = {
        "version": item.mark_version,
        "score": _points(item),
        "comment": item.comment,
        "marked_by": item.marked_by,
    }
    raise conflict("stale_version", "Somebody else marked this answer meanwhile.", current=current)


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
