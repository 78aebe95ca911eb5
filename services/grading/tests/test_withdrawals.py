"""Reopened and void attempts: their grades count nowhere, in whatever order grading hears of it."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from examkit.db import Database
from examkit.errors import AppError
from examkit.events import Delivery
from examkit.ids import uuid7
from examkit.testing import eventually
from examprotos.exam.v1 import events_pb2
from grading_service.consumers import ATTEMPT_CLOSED, ATTEMPT_REOPENED, ATTEMPT_VOIDED, Consumers
from grading_service.exam_ends import ExamEnds
from grading_service.repository.papers import PaperCache
from grading_service.repository.queue import Wanted
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.full_results import full_results
from grading_service.usecases.grade_attempts import ClosedAttempt
from grading_service.usecases.marking_queue import list_queue
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.student_results import my_result, my_results
from grading_service.usecases.timeline import timeline

from .conftest import ALL_RIGHT, NOW, FrozenExam
from .messages import closed_message


def delivery(kind: str, message: Any) -> Delivery:
    body = message.SerializeToString()
    return Delivery(str(uuid7()), kind, message.student_exam_id, NOW, body, 1)


def closed_at_version(one: ClosedAttempt, version: int, **changes: Any) -> Delivery:
    return delivery(ATTEMPT_CLOSED, closed_message(replace(one, attempt_version=version, **changes)))


def withdrawn(one: ClosedAttempt, version: int, *, void: bool = False) -> Delivery:
    message: Any = events_pb2.AttemptVoided() if void else events_pb2.AttemptReopened()
    message.student_exam_id = str(one.student_exam_id)
    message.student_id = str(one.student_id)
    message.exam_id = str(one.exam_id)
    message.attempt_version = version
    return delivery(ATTEMPT_VOIDED if void else ATTEMPT_REOPENED, message)


@pytest.fixture
def consumers(db: Database, cache: PaperCache) -> Consumers:
    return Consumers(cache, GradeWaiters(db), lambda: NOW)


async def deliver(db: Database, consumers: Consumers, *deliveries: Delivery) -> None:
    async with db.transaction() as tx:
        await consumers.attempts_changed(tx, deliveries)


async def counting(db: Database, one: ClosedAttempt) -> int | None:
    """The version whose grade counts."""
    found = await full_results(db, [one.student_exam_id], with_items=False)
    return found[0][0].attempt_version if found else None


def story(one: ClosedAttempt) -> list[Delivery]:
    """Submitted, reopened, submitted again, declared void, reopened, submitted a last time."""
    return [
        closed_at_version(one, 2),
        withdrawn(one, 3),
        closed_at_version(one, 4),
        withdrawn(one, 5, void=True),
        withdrawn(one, 6),
        closed_at_version(one, 7),
    ]


@pytest.mark.parametrize("told", range(1, 7))
async def test_the_newest_decides_in_every_order(
    db: Database, consumers: Consumers, exam: FrozenExam, told: int
) -> None:
    counts = (2, None, 4, None, None, 7)[told - 1]
    orders = list(itertools.permutations(range(told)))
    for order in orders[:: max(1, len(orders) // 24)]:
        one = exam.closed(ALL_RIGHT)
        events = story(one)
        for place in order:
            await deliver(db, consumers, events[place])
        assert await counting(db, one) == counts, order
        # Once more, all at once: nothing changes.
        await deliver(db, consumers, *(events[place] for place in order))
        assert await counting(db, one) == counts, order


async def test_all_in_one_batch(db: Database, consumers: Consumers, exam: FrozenExam) -> None:
    for told, counts in enumerate((2, None, 4, None, None, 7), start=1):
        one = exam.closed(ALL_RIGHT)
        await deliver(db, consumers, *reversed(story(one)[:told]))
        assert await counting(db, one) == counts


async def test_a_first_grade_and_its_withdrawal_that_race(
    db: Database, consumers: Consumers, exam: FrozenExam
) -> None:
    attempts = [exam.closed(ALL_RIGHT) for _ in range(10)]
    await asyncio.gather(
        *(deliver(db, consumers, closed_at_version(one, 2)) for one in attempts),
        *(deliver(db, consumers, withdrawn(one, 3, void=True)) for one in attempts),
    )
    assert [await counting(db, one) for one in attempts] == [None] * 10


@pytest.mark.parametrize("grade_first", [True, False])
async def test_of_a_first_grade_and_its_withdrawal_one_waits(
    db: Database, consumers: Consumers, exam: FrozenExam, grade_first: bool
) -> None:
    one = exam.closed(ALL_RIGHT)
    first, second = closed_at_version(one, 2), withdrawn(one, 3, void=True)
    if not grade_first:
        first, second = second, first
    async with db.transaction() as tx:
        await consumers.attempts_changed(tx, [first])
        other = asyncio.create_task(deliver(db, consumers, second))
        await eventually(lambda: _somebody_waits(db))
    await other
    assert await counting(db, one) is None


async def _somebody_waits(db: Database) -> bool:
    """For an advisory lock of this database."""
    mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    query = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {mine}"
    async with db.reading() as conn:
        return bool(await conn.scalar(sa.text(query)))


async def test_nobody_sees_a_withdrawn_grade(
    db: Database, cache: PaperCache, ends: ExamEnds, consumers: Consumers, exam: FrozenExam
) -> None:
    one = exam.closed(ALL_RIGHT)
    student, attempt = one.student_id, one.student_exam_id
    essay = UUID(exam.question_ids[5])
    await deliver(db, consumers, closed_at_version(one, 2))
    wanted = Wanted(exam.exam_id)
    assert len((await list_queue(db, cache, wanted, 10, None, NOW))[0]) == 1

    await deliver(db, consumers, withdrawn(one, 3))

    assert await my_result(db, ends, student, attempt, NOW) is None
    assert await my_results(db, student, 10, None, NOW) == []
    assert await list_queue(db, cache, wanted, 10, None, NOW) == ([], [])
    with pytest.raises(AppError, match="not_markable"):
        await put_mark(db, cache, attempt, essay, 100, "", uuid7(), NOW)
    assert "withdrawn" in "\n".join(await timeline(db, str(attempt)))
    # Nothing is gone: what was graded lies there until it is graded anew.
    async with db.reading() as conn:
        items = await conn.scalar(sa.text("SELECT count(*) FROM grade_items"))
    assert items == 6


@pytest.mark.parametrize(("essay", "score"), [("An essay.", 150), ("Another essay.", None)])
async def test_marks_stay_where_the_answer_did(
    db: Database, cache: PaperCache, consumers: Consumers, exam: FrozenExam, essay: str, score: int | None
) -> None:
    one = exam.closed(ALL_RIGHT)
    question = UUID(exam.question_ids[5])
    await deliver(db, consumers, closed_at_version(one, 2))
    await put_mark(db, cache, one.student_exam_id, question, 150, "Good.", uuid7(), NOW)
    await deliver(db, consumers, withdrawn(one, 3))

    answers = one.answers | {exam.question_ids[5]: (essay, essay)}
    await deliver(db, consumers, closed_at_version(one, 4, answers=answers))

    ((grade, items),) = await full_results(db, [one.student_exam_id], with_items=True)
    assert grade.attempt_version == 4
    assert items[5].mark.score == score
    assert (items[5].comment == "Good.") == (score is not None)
    async with db.reading() as conn:
        history: Sequence[Any] = (await conn.execute(sa.text("SELECT score FROM mark_history"))).all()
    assert [row.score for row in history] == [150]
