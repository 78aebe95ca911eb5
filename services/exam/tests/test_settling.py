"""A changed window reaches the attempts under way by and by: saves go on, and a crash leaves none behind."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from exam_service.repository import attempts
from exam_service.sweeper import settler
from exam_service.usecases import deadlines
from exam_service.usecases.actor import Actor
from exam_service.usecases.deadlines import settle_what_is_left
from exam_service.usecases.exam_events import EXAM_CHANGED
from exam_service.usecases.exams import update_exam
from exam_service.usecases.tend_attempts import close_overdue
from examkit.db import Database, DatabaseAway, Tx
from examkit.testing import eventually
from examprotos.exam.v1 import events_pb2

from .builders import events, rows, write
from .sitting import Hall, outcomes, sent

HOUR = timedelta(hours=1)


@pytest.fixture
def by_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "SETTLED_AT_ONCE", 2)


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After how many transactions Postgres goes away, in front."""
    left: list[int] = []
    real = deadlines._recompute

    async def recompute(tx: Tx, running: list[attempts.Attempt]) -> object:
        if left and left[0] == 0:
            raise DatabaseAway
        if left:
            left[0] -= 1
        return await real(tx, running)

    monkeypatch.setattr(deadlines, "_recompute", recompute)
    return left


async def deadlines_of(db: Database) -> list[tuple[datetime, int]]:
    found = await rows(db, "SELECT deadline, deadline_version FROM student_exams ORDER BY id")
    return [(row["deadline"], row["deadline_version"]) for row in found]


async def last_end_told(db: Database) -> datetime:
    *_, last = await events(db, EXAM_CHANGED, events_pb2.ExamChanged)
    return last.last_possible_end.ToDatetime(tzinfo=datetime.now().astimezone().tzinfo)


@pytest.mark.usefixtures("by_twos")
async def test_saves_go_on_while_the_window_of_their_exam_changes(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    """Somebody holds the last of five attempts: the others are neither locked nor left as they were."""
    exam = await hall.exam(["text"])
    people = [await hall.sits(exam) for _ in range(5)]
    *others, (_, last) = people
    async with db.transaction() as tx:
        await attempts.lock(tx.conn, last.attempt.student_id, last.attempt.id)
        changing = asyncio.create_task(update_exam(db, admin, exam, {"end_time": now + HOUR / 2}))

        async def the_others_have_moved() -> bool:
            moved = [deadline == now + HOUR / 2 for deadline, _ in await deadlines_of(db)]
            return moved == [True] * 4 + [False]

        await eventually(the_others_have_moved, timeout=4)
        (question,) = last.paper.questions
        for who, sitting in others:
            saved = await hall.save(who, sitting.attempt.id, sent(question.question_id, "x", 1))
            assert outcomes(saved) == ["stored"]
        assert not changing.done()
    await changing
    assert await deadlines_of(db) == [(now + HOUR / 2, 2)] * 5


@pytest.mark.usefixtures("by_twos")
async def test_what_a_crash_left_is_settled_by_a_worker_and_once(
    hall: Hall, db: Database, admin: Actor, now: datetime, dies: list[int]
) -> None:
    exam = await hall.exam(["text"])
    for _ in range(5):
        await hall.sits(exam)
    dies.append(1)

    await update_exam(db, admin, exam, {"end_time": now + HOUR / 2})

    assert [version for _, version in await deadlines_of(db)] == [2, 2, 1, 1, 1]
    dies.clear()
    await write(db, "UPDATE exams SET deadlines_due = now() - interval '1 minute'")

    async def all_have_moved() -> bool:
        return await deadlines_of(db) == [(now + HOUR / 2, 2)] * 5

    working = asyncio.create_task(settler(db).run())
    try:
        await eventually(all_have_moved)
        await eventually(lambda: is_settled(db, exam))
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    assert await settle_what_is_left(db, age=0) == 0
    assert await last_end_told(db) == now + HOUR / 2 + timedelta(seconds=30)
    (audit,) = await rows(db, "SELECT count(*) AS times FROM audit WHERE action = 'exam.updated'")
    assert audit["times"] == 1


async def test_nobody_is_closed_by_a_deadline_that_is_behind(
    hall: Hall, db: Database, admin: Actor, now: datetime, dies: list[int]
) -> None:
    exam = await hall.exam(["text"], end_time=now + 5 * HOUR, grace_seconds=0)
    _, sitting = await hall.sits(exam)
    dies.append(0)
    await update_exam(db, admin, exam, {"end_time": now + 6 * HOUR})
    await hall.move_deadline(sitting.attempt.id, -60)

    assert await close_overdue(db, hall.papers) == 0

    dies.clear()
    assert await settle_what_is_left(db, age=0) == 1
    assert await close_overdue(db, hall.papers) == 0
    assert (await hall.row(sitting.attempt.id))["status"] == "in_progress"


async def test_a_window_that_changes_again_meanwhile_is_told_of_last(
    hall: Hall, db: Database, admin: Actor, now: datetime, dies: list[int]
) -> None:
    exam = await hall.exam(["text"])
    await hall.sits(exam)
    dies.append(0)
    for minutes in (20, 30):
        await update_exam(db, admin, exam, {"end_time": now + timedelta(minutes=minutes)})
    dies.clear()

    assert await settle_what_is_left(db, age=0) == 1

    assert await deadlines_of(db) == [(now + timedelta(minutes=30), 2)]
    assert await settle_what_is_left(db, age=0) == 0


async def is_settled(db: Database, exam_id: UUID) -> bool:
    (row,) = await rows(db, "SELECT deadlines_due FROM exams WHERE id = :id", id=exam_id)
    return row["deadlines_due"] is None
