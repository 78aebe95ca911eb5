"""Grading closed attempts, as many at a time as there are: the one path to a grade."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.db import Tx
from examkit.events import Event
from examprotos.grading.v1 import events_pb2

from grading_service.domain.scoring import mark, totals
from grading_service.domain.student_view import GradedItem, plain_items, revealing_items
from grading_service.repository import grade_batches, grades, withdrawals
from grading_service.repository.grade_batches import Attempt
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import Paper, PaperCache

GRADED = "examhall.grading.attempt.graded.v1"

Graded = tuple[GradedAttempt, list[GradedItem]]


@dataclass(frozen=True)
class ClosedAttempt:
    """What the exam service says of an attempt that was closed.

    `answers`: question id → (answer in authored letters, as shown). Questions left out were not answered.
    `letterings`: question id → authored option ids in the order shown. `traceparent`: the trace of closing.
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
    traceparent: str | None = None


async def grade_attempts(
    tx: Tx, cache: PaperCache, closed: Sequence[ClosedAttempt], now: datetime
) -> list[GradedAttempt]:
    """Grade these attempts, each in the newest version that is among them; gives the grades it stored.

    A version that is not newer than the graded one, or than one that was withdrawn, changes nothing. The
    caller took its turn (`withdrawals.take_turns`). Raises LookupError where an exam has no frozen paper;
    nothing is to be committed then.
    """
    newest = await _not_withdrawn(tx, _newest(closed))
    papers = {one.exam_id: await cache.get(tx.conn, one.exam_id) for one in newest.values()}
    graded = await grade_batches.lock(tx.conn, newest)
    due: dict[Attempt, ClosedAttempt] = {}
    for attempt, one in newest.items():
        before = graded.get(attempt)
        if before is None or before.attempt_version < one.attempt_version:
            due[attempt] = one
        else:
            # Whoever sends it again has not heard of the grade.
            tx.publish(_graded(before), traceparent=one.traceparent)
    if not due:
        return []
    # Under the locks: a mark that is being given is waited for, and kept.
    regraded = due.keys() & graded.keys()
    earlier = await grades.items(tx.conn, regraded) if regraded else {}
    made = [
        _grade(papers[one.exam_id], one, earlier.get(one.student_exam_id, ()), now) for one in due.values()
    ]
    stored = await grade_batches.put_newer(tx.conn, [grade for grade, _ in made])
    # Another process may have graded one for the first time since the look above.
    made = [(grade, items) for grade, items in made if (grade.student_id, grade.student_exam_id) in stored]
    if made:
        await _store(tx, papers, made, regraded & stored)
    for grade, _ in made:
        attempt = (grade.student_id, grade.student_exam_id)
        tx.publish(_graded(grade), traceparent=due[attempt].traceparent)
    return [grade for grade, _ in made]


async def _not_withdrawn(tx: Tx, newest: Mapping[Attempt, ClosedAttempt]) -> dict[Attempt, ClosedAttempt]:
    """Without what was closed before the attempt was reopened or declared void."""
    withdrawn = await withdrawals.versions(tx.conn, newest)
    return {
        attempt: one for attempt, one in newest.items() if one.attempt_version > withdrawn.get(attempt, -1)
    }


def _newest(closed: Sequence[ClosedAttempt]) -> dict[Attempt, ClosedAttempt]:
    """One for each attempt, in the order in which rows are locked and written."""
    newest: dict[Attempt, ClosedAttempt] = {}
    for one in closed:
        attempt = (one.student_id, one.student_exam_id)
        if attempt not in newest or newest[attempt].attempt_version < one.attempt_version:
            newest[attempt] = one
    return dict(sorted(newest.items()))


def _grade(paper: Paper, closed: ClosedAttempt, earlier: Sequence[GradedItem], now: datetime) -> Graded:
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
    return grade, items


async def _store(
    tx: Tx, papers: Mapping[UUID, Paper], made: Sequence[Graded], replaced: Collection[Attempt]
) -> None:
    # An attempt that has items all the same was graded, and maybe marked, by another in between: then the
    # primary key refuses, all is undone, and the next run sees what is there.
    await grade_batches.put_items(tx.conn, made, replaced)
    await write_views(tx, [(papers[grade.exam_id], grade, items) for grade, items in made])


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


async def write_views(tx: Tx, graded: Sequence[tuple[Paper, GradedAttempt, Sequence[GradedItem]]]) -> None:
    """Make anew what the students may be shown of these grades."""
    views = [
        (grade, plain := plain_items(items), revealing_items(plain, paper.keys, grade.letterings))
        for paper, grade, items in graded
    ]
    await grade_batches.put_views(tx.conn, views)


def _graded(grade: GradedAttempt) -> Event:
    message = events_pb2.AttemptGraded(
        student_exam_id=str(grade.student_exam_id),
        student_id=str(grade.student_id),
        exam_id=str(grade.exam_id),
        attempt_version=grade.attempt_version,
        pending_count=grade.totals.pending_count,
    )
    return Event(type=GRADED, subject=message.student_exam_id, message=message)
