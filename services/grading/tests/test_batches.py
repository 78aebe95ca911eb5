"""Many closed attempts in one transaction: what is said of one holds for each of them."""

import asyncio
import contextlib
import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from examkit.db import Database
from examkit.events import Delivery
from examkit.ids import uuid7
from examkit.testing import eventually
from grading_service.consumers import ATTEMPT_CLOSED, Consumers
from grading_service.exam_ends import ExamEnds
from grading_service.repository import grade_batches, grades
from grading_service.repository.papers import PaperCache
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.grade_attempts import ClosedAttempt, grade_attempts
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.student_results import my_result, results_of

from .conftest import ALL_RIGHT, NOW, FrozenExam, exam_policy, freeze
from .counting import Left, left, once
from .messages import closed_message


async def grade(db: Database, cache: PaperCache, *closed: ClosedAttempt) -> set[tuple[UUID, int]]:
    """Which attempts were graded, and in which version."""
    async with db.transaction() as tx:
        graded = await grade_attempts(tx, cache, closed, NOW)
    return {(one.student_exam_id, one.attempt_version) for one in graded}


async def total(db: Database, closed: ClosedAttempt) -> int:
    async with db.reading() as conn:
        (grade,) = await grades.by_attempts(conn, [closed.student_exam_id])
    return grade.totals.total


async def test_attempts_of_several_exams_are_graded_at_once(
    db: Database, cache: PaperCache, ends: ExamEnds
) -> None:
    exams = [await freeze(db, exam_policy()) for _ in range(3)]
    right = [exam.closed(ALL_RIGHT) for exam in exams for _ in range(5)]
    wrong = [exam.closed({0: "C"}) for exam in exams]
    empty = exams[0].closed()
    closed = [*right, *wrong, empty]
    assert await grade(db, cache, *closed) == {(one.student_exam_id, 2) for one in closed}
    assert [await total(db, one) for one in right] == [1000] * 15
    assert [await total(db, one) for one in [*wrong, empty]] == [0] * 4
    result = await my_result(db, ends, wrong[1].student_id, wrong[1].student_exam_id, NOW)
    assert result is not None
    assert [item["question_id"] for item in result.items] == list(exams[1].question_ids)
    assert result.items[0]["answer"] == "C"
    assert result.items[1]["answer"] is None
    async with db.reading() as conn:
        unanswered = sa.text("SELECT count(*) FROM grade_items WHERE answer IS NULL AND shown IS NULL")
        assert await conn.scalar(unanswered) == 5 * 3 + 6
    assert [await left(db, one) for one in closed] == [once(2)] * len(closed)


@pytest.mark.parametrize("order", [(3, 2), (2, 3), (2, 3, 3, 2)])
async def test_the_newest_version_of_an_attempt_counts(
    db: Database, cache: PaperCache, exam: FrozenExam, order: Sequence[int]
) -> None:
    new = exam.closed(ALL_RIGHT, attempt_version=3)
    versions = {3: new, 2: replace(new, attempt_version=2, answers={})}
    assert await grade(db, cache, *(versions[number] for number in order)) == {(new.student_exam_id, 3)}
    assert await total(db, new) == 1000
    assert await left(db, new) == once(3)


async def test_repeats_and_new_versions_mix_with_first_ones(
    db: Database, cache: PaperCache, exam: FrozenExam
) -> None:
    known, late, first, marked = (exam.closed(ALL_RIGHT, attempt_version=5) for _ in range(4))
    await grade(db, cache, known, late, marked)
    essay = UUID(exam.question_ids[5])
    await put_mark(db, cache, marked.student_exam_id, essay, 150, "Good.", uuid7(), NOW)
    newer = replace(marked, attempt_version=6, answers=marked.answers | {exam.question_ids[0]: ("C", "C")})
    older = replace(late, attempt_version=4, answers={})
    expected = {(first.student_exam_id, 5), (marked.student_exam_id, 6)}
    assert await grade(db, cache, known, older, first, newer) == expected
    assert [await total(db, one) for one in (known, late, first, marked)] == [1000, 1000, 1000, 950]
    # Told again to whoever asks again, and never of a version that does not count.
    assert await left(db, known) == Left(1, 6, 1, {5: 2})
    assert await left(db, late) == Left(1, 6, 1, {5: 2})
    assert await left(db, first) == once(5)
    assert await left(db, marked) == once(5, 6)


@pytest.mark.parametrize("graded_before", [False, True])
async def test_batches_of_the_same_attempts_do_not_deadlock(
    db: Database, cache: PaperCache, exam: FrozenExam, graded_before: bool
) -> None:
    closed = [exam.closed(ALL_RIGHT) for _ in range(20)]
    if graded_before:
        await grade(db, cache, *closed)
        closed = [replace(one, attempt_version=3) for one in closed]
    batches = [closed, closed[::-1]]
    with contextlib.suppress(Undone):
        async with db.transaction() as tx:
            # Whoever comes from either end has half of them when both wait for this one.
            await grade_attempts(tx, cache, [closed[10]], NOW)
            grading = [asyncio.create_task(grade(db, cache, *batch)) for batch in batches]
            await eventually(functools.partial(waits, db, 2))
            raise Undone
    outcomes = await asyncio.gather(*grading)
    assert sorted(map(len, outcomes)) == [0, 20]
    for one in closed:
        rows = await left(db, one)
        told = {2: 1} if graded_before else {}
        # Who came second tells the grade again, unless it lost the race for the first one.
        assert rows == Left(1, 6, 1, told | {one.attempt_version: rows.told[one.attempt_version]})
        assert rows.told[one.attempt_version] <= 2


class Undone(Exception):  # noqa: N818 - no error
    pass


async def waits(db: Database, number: int) -> bool:
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with db.reading() as conn:
        return bool(await conn.scalar(waiting) == number)


async def test_a_mark_given_unseen_is_not_written_over(
    db: Database, cache: PaperCache, exam: FrozenExam, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = exam.closed(ALL_RIGHT)
    await grade(db, cache, closed)
    essay = UUID(exam.question_ids[5])
    await put_mark(db, cache, closed.student_exam_id, essay, 150, "Good.", uuid7(), NOW)
    newer = replace(closed, attempt_version=3)

    async def looked_too_early(*_: object) -> dict[Any, Any]:
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(grade_batches, "lock", looked_too_early)
        with pytest.raises(sa.exc.IntegrityError, match="grade_items_pkey"):
            await grade(db, cache, newer)
    await grade(db, cache, newer)
    assert await total(db, closed) == 1150


async def test_results_of_many_are_each_their_students_own(
    db: Database, cache: PaperCache, ends: ExamEnds, exam: FrozenExam
) -> None:
    hidden = (await freeze(db, exam_policy(result_policy="manual"))).closed(ALL_RIGHT)
    one, other = exam.closed(ALL_RIGHT), exam.closed()
    await grade(db, cache, one, other, hidden)
    asked = [(closed.student_id, closed.student_exam_id) for closed in (other, hidden, one)]
    stolen = (one.student_id, other.student_exam_id)
    found = await results_of(db, ends, [*asked, stolen, (uuid7(), uuid7())], NOW)
    assert [result and result.grade.student_exam_id for result in found] == [
        other.student_exam_id,
        hidden.student_exam_id,
        one.student_exam_id,
        None,
        None,
    ]
    assert found[1] is not None
    assert found[1].items == []


def delivery(closed: ClosedAttempt, traceparent: str | None = None) -> Delivery:
    body = closed_message(closed).SerializeToString()
    return Delivery(str(uuid7()), ATTEMPT_CLOSED, str(closed.student_exam_id), NOW, body, 1, "", traceparent)


async def test_the_commit_ends_the_waiting_and_a_rollback_does_not(
    db: Database, cache: PaperCache, exam: FrozenExam
) -> None:
    waiters = GradeWaiters(db)  # does not run: nothing is polled
    consumers = Consumers(cache, waiters, lambda: NOW)
    closed = [exam.closed(ALL_RIGHT) for _ in range(3)]
    waiting = [
        asyncio.create_task(waiters.wait(one.student_id, one.student_exam_id, 2, 30)) for one in closed
    ]
    await asyncio.sleep(0)
    with contextlib.suppress(KeyError):
        async with db.transaction() as tx:
            await consumers.attempts_changed(tx, [delivery(one) for one in closed])
            raise KeyError
    assert not any(task.done() for task in waiting)
    async with db.transaction() as tx:
        await consumers.attempts_changed(tx, [delivery(one) for one in closed])
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    # And who asks late need not wait.
    late = closed[0]
    await asyncio.wait_for(waiters.wait(late.student_id, late.student_exam_id, 2, 30), 10)


async def test_each_grade_belongs_to_the_trace_of_its_attempt(
    db: Database, cache: PaperCache, exam: FrozenExam
) -> None:
    consumers = Consumers(cache, GradeWaiters(db), lambda: NOW)
    traces = [(exam.closed(), f"00-{digit * 32}-{digit * 16}-00") for digit in "123"]
    for _ in range(2):
        async with db.transaction() as tx:
            await consumers.attempts_changed(tx, [delivery(*pair) for pair in traces])
    async with db.reading() as conn:
        rows = (await conn.execute(sa.text("SELECT subject, traceparent FROM outbox"))).all()
    assert Counter(map(tuple, rows)) == {(str(closed.student_exam_id), trace): 2 for closed, trace in traces}
