"""Grading a closed attempt: the one path to a grade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.db import Tx
from examkit.events import Event
from examprotos.grading.v1 import events_pb2

from grading_service.domain.scoring import mark, totals
from grading_service.domain.student_view import GradedItem, plain_items, revealing_items
from grading_service.repository import grades
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import Paper, PaperCache

GRADED = "examhall.grading.attempt.graded.v1"


@dataclass(frozen=True)
class ClosedAttempt:
    """What the exam service says of an attempt that was closed.

    `answers`: question id → (answer in authored letters, as shown). Questions left out were not answered.
    `letterings`: question id → authored option ids in the order shown.
    """

    student_id: UUID
    student_exam_id: UUID
    exam_id: UUID
    attempt_no: int
    attempt_version: int
    status: str
    started_at: datetime
    closed_at: datetime
    answers: Mapping[str, tuple[Any, Any]]
    letterings: Mapping[str, Sequence[str]]


async def grade_attempt(tx: Tx, cache: PaperCache, closed: ClosedAttempt, now: datetime) -> bool:
    """Grade this version of the attempt. A version that is not newer than the graded one changes nothing.

    False where it changed nothing. Raises LookupError where the exam has no frozen paper.
    """
    paper = await cache.get(tx.conn, closed.exam_id)
    pair = (closed.student_id, closed.student_exam_id)
    graded = await grades.lock_of_student(tx.conn, *pair)
    if graded is not None and graded.attempt_version >= closed.attempt_version:
        # Whoever sends it again has not heard of the grade.
        tx.publish(_graded(graded))
        return False
    # Under the lock: a mark that is being given is waited for, and kept.
    earlier = (await grades.items(tx.conn, [pair])).get(closed.student_exam_id, [])
    items = keep_marks(grade_items(paper, closed), earlier)
    grade = GradedAttempt(
        student_id=closed.student_id,
        student_exam_id=closed.student_exam_id,
        exam_id=closed.exam_id,
        attempt_no=closed.attempt_no,
        attempt_version=closed.attempt_version,
        status=closed.status,
        started_at=closed.started_at,
        closed_at=closed.closed_at,
        totals=totals((item.mark, item.max_score) for item in items),
        letterings=closed.letterings,
        graded_at=now,
    )
    if not await grades.put_newer(tx.conn, grade):
        return False
    await grades.replace_items(tx.conn, grade, items)
    await write_views(tx, paper, grade, items)
    tx.publish(_graded(grade))
    return True


def grade_items(paper: Paper, closed: ClosedAttempt) -> list[GradedItem]:
    """Each question of the paper with what the answer to it earned."""
    items = []
    for keyed in paper.questions:
        question_id = str(keyed.question.question_id)
        answer, shown = closed.answers.get(question_id, (None, None))
        earned = mark(keyed.question.type, keyed.key, answer, keyed.question.points, paper.policy)
        items.append(GradedItem(question_id, keyed.question.points, earned, answer, shown))
    return items


def keep_marks(items: Sequence[GradedItem], earlier: Sequence[GradedItem]) -> list[GradedItem]:
    """Manual marks of an earlier version hold where the answer is the same."""
    marked = {item.question_id: item for item in earlier if item.marked_by is not None}
    return [
        replace(item, mark=before.mark, comment=before.comment, marked_by=before.marked_by)
        if (before := marked.get(item.question_id)) is not None and before.answer == item.answer
        else item
        for item in items
    ]


async def write_views(tx: Tx, paper: Paper, grade: GradedAttempt, items: Sequence[GradedItem]) -> None:
    """Make anew what the student may be shown of this grade."""
    keys = {str(one.question.question_id): (one.key, one.explanation) for one in paper.questions}
    revealing = revealing_items(items, keys, grade.letterings)
    await grades.put_views(tx.conn, grade, plain_items(items), revealing)


def _graded(grade: GradedAttempt) -> Event:
    message = events_pb2.AttemptGraded(
        student_exam_id=str(grade.student_exam_id),
        student_id=str(grade.student_id),
        exam_id=str(grade.exam_id),
        attempt_version=grade.attempt_version,
        pending_count=grade.totals.pending_count,
    )
    return Event(type=GRADED, subject=message.student_exam_id, message=message)
