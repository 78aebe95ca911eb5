"""Grading closed attempts, as many at a time as there are: the one path to a grade."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.db import Tx
from examkit.events import Event
from examprotos.grading.v1 import events_pb2

from grading_service.domain.scoring import totals
from grading_service.domain.student_view import GradedItem, plain_items, revealing_items
from grading_service.repository import grade_batches, grades, score_changes, withdrawals
from grading_service.repository.grade_batches import Attempt
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import Paper, PaperCache, rules_versions

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
    rules = await rules_versions(tx.conn, {one.exam_id for one in newest.values()})
    papers = {one: await cache.get(tx.conn, one, version) for one, version in rules.items()}
    graded = await grade_batches.lock(tx.conn, newest)
    due: dict[Attempt, ClosedAttempt] = {}
    for attempt, one in newest.items():
        before = graded.get(attempt)
        if before is None or before.attempt_version < one.attempt_version:
            due[attempt] = one
        else:
            # Whoever sends it again has not heard of the grade.
            tx.publish(graded_event(before), traceparent=one.traceparent)
    if not due:
        return []
    # Under the locks: a mark that is being given is waited for, and kept.
    regraded = due.keys() & graded.keys()
    earlier = await grades.items(tx.conn, regraded) if regraded else {}
    made = [
        _grade(papers[one.exam_id], one, graded.get(attempt), earlier.get(one.student_exam_id, ()), now)
        for attempt, one in due.items()
    ]
    stored = await grade_batches.put_newer(tx.conn, [grade for grade, _ in made])
    # Another process may have graded one for the first time since the look above.
    made = [(grade, items) for grade, items in made if (grade.student_id, grade.student_exam_id) in stored]
    if made:
        replaced = [(graded[one], earlier.get(one[1], [])) for one in sorted(regraded & stored)]
        await score_changes.keep_replaced(tx.conn, replaced, now)
        await _store(tx, papers, made, regraded & stored)
    for grade, _ in made:
        attempt = (grade.student_id, grade.student_exam_id)
        tx.publish(graded_event(grade), traceparent=due[attempt].traceparent)
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


def _grade(
    paper: Paper,
    closed: ClosedAttempt,
    before: GradedAttempt | None,
    earlier: Sequence[GradedItem],
    now: datetime,
) -> Graded:
    items = grade_items(paper, closed, earlier)
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
        rules_version=paper.version,
        revision=before.revision + 1 if before else 1,
    )
    return grade, items


async def _store(
    tx: Tx, papers: Mapping[UUID, Paper], made: Sequence[Graded], replaced: Collection[Attempt]
) -> None:
    # An attempt that has items all the same was graded, and maybe marked, by another in between: then the
    # primary key refuses, all is undone, and the next run sees what is there.
    await grade_batches.put_items(tx.conn, made, replaced)
    await write_views(tx, [(papers[grade.exam_id], grade, items) for grade, items in made])


def grade_items(paper: Paper, closed: ClosedAttempt, earlier: Sequence[GradedItem] = ()) -> list[GradedItem]:
    """Each question of the paper with what the answer to it earned.

    Manual marks of an earlier version hold where the answer is the same.
    """
    before = {item.question_id: item for item in earlier}
    return [
        _item(paper, question_id, closed.answers.get(question_id, (None, None)), before.get(question_id))
        for question_id in paper.by_id
    ]


def _item(paper: Paper, question_id: str, given: tuple[Any, Any], before: GradedItem | None) -> GradedItem:
    answer, shown = given
    marked = before if before is not None and before.marked_by is not None else None
    kept = marked if marked is not None and marked.answer == answer else None
    marks = before.mark_version if before else 0
    marked_score = kept.marked_score if kept else None
    return GradedItem(
        question_id=question_id,
        max_score=paper.by_id[question_id].question.points,
        mark=paper.earned(question_id, answer, marked_score),
        answer=answer,
        shown=shown,
        comment=kept.comment if kept else "",
        marked_by=kept.marked_by if kept else None,
        marked_score=marked_score,
        criteria=kept.criteria if kept else (),
        mark_version=marks + 1 if marked and not kept else marks,
    )


async def write_views(tx: Tx, graded: Sequence[tuple[Paper, GradedAttempt, Sequence[GradedItem]]]) -> None:
    """Make anew what the students may be shown of these grades."""
    views = [
        (grade, plain := plain_items(items), revealing_items(plain, paper.keys, grade.letterings))
        for paper, grade, items in graded
    ]
    await grade_batches.put_views(tx.conn, views)


def graded_event(grade: GradedAttempt) -> Event:
    message = events_pb2.AttemptGraded(
        student_exam_id=str(grade.student_exam_id),
        student_id=str(grade.student_id),
        exam_id=str(grade.exam_id),
        attempt_version=grade.attempt_version,
        pending_count=grade.totals.pending_count,
        grade_version=grade.revision,
    )
    return Event(type=GRADED, subject=message.student_exam_id, message=message)
