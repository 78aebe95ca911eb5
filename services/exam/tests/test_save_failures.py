"""Saves where something fails or collides: the database refuses, a connection is lost, batches cross."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from exam_service.domain.saving import NewAnswer, Save, SaveResult
from exam_service.repository import saves as repository
from exam_service.usecases.save import store
from examkit.db import Database, DatabaseAway

from .builders import rows
from .sitting import Hall, outcomes, sent
from .test_save import TEXTS, fault


async def test_only_the_poisonous_save_is_refused(hall: Hall, db: Database) -> None:
    """What slips through every check and fails in Postgres costs nobody else an answer."""
    exam = await hall.exam(TEXTS)
    sittings = [await hall.sits(exam) for _ in range(5)]
    first, second, third = (question.question_id for question in sittings[0][1].paper.questions)
    poison = NewAnswer(second, "nul \x00 inside", 1)
    saves = [
        Save(
            who.user_id,
            sitting.attempt.id,
            (
                NewAnswer(first, "good", 1),
                poison if number == 3 else NewAnswer(second, "good", 1),
                NewAnswer(third, "good", 1),
            ),
            time.monotonic(),
        )
        for number, (who, sitting) in enumerate(sittings)
    ]

    results = await store(db, saves)

    assert [outcomes(result) for result in results] == [
        ["stored", "rejected", "stored"] if number == 3 else ["stored"] * 3 for number in range(5)
    ]
    assert all(result.clock is not None for result in results)
    assert set(await hall.stored(sittings[3][1].attempt.id)) == {first, third}


async def test_a_lost_connection_is_survived_where_revisions_tell_what_happened(
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second, _ = (question.question_id for question in sitting.paper.questions)
    untouched = repository.write
    lost: list[None] = []

    async def lose_once(*given: Any, **more: Any) -> Any:
        written = await untouched(*given, **more)
        if not lost:
            lost.append(None)
            raise DatabaseAway
        return written

    monkeypatch.setattr(repository, "write", lose_once)
    with_revision, without = await hall.saver.save_batch(
        [
            hall.request(who, sitting.attempt.id, sent(first, "x", 1)),
            hall.request(who, sitting.attempt.id, sent(second, "y")),
        ]
    )

    assert outcomes(with_revision) == ["stored"]
    assert fault(without) == "unavailable"
    assert await hall.stored(sitting.attempt.id) == {first: ("x", 1)}


async def test_batches_that_lock_the_same_attempts_in_any_order_do_not_deadlock(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    sittings = [await hall.sits(exam) for _ in range(6)]
    question = sittings[0][1].paper.questions[0].question_id

    async def batch(number: int) -> list[SaveResult]:
        order = sittings if number % 2 else sittings[::-1]
        return await hall.saver.save_batch(
            [hall.request(who, sitting.attempt.id, sent(question, f"{number}")) for who, sitting in order]
        )

    results = await asyncio.gather(*(batch(number) for number in range(20)))

    assert {verdict.outcome for batch in results for result in batch for verdict in result.verdicts} == {
        "stored"
    }
    for _, sitting in sittings:
        assert (await hall.stored(sitting.attempt.id))[question][1] == 20


async def test_a_held_attempt_is_set_aside_and_stalls_no_other(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS)
    (held, held_sitting), *others = [await hall.sits(exam) for _ in range(3)]
    question = held_sitting.paper.questions[0].question_id
    requests = [
        hall.request(who, sitting.attempt.id, sent(question, "x", 1))
        for who, sitting in [(held, held_sitting), *others]
    ]

    async with db.transaction() as tx:
        lock = "SELECT 1 FROM student_exams WHERE id = :id FOR UPDATE"
        await tx.conn.execute(sa.text(lock), {"id": held_sitting.attempt.id})
        first, *rest = await hall.saver.save_batch(requests, may_wait=False)
        assert fault(first) == "set_aside"
        assert [outcomes(result) for result in rest] == [["stored"], ["stored"]]
        waiting = asyncio.create_task(hall.saver.save_batch(requests[:1], may_wait=True))
        assert not await hall.stored(held_sitting.attempt.id)

    (late,) = await waiting
    assert outcomes(late) == ["stored"]
    assert await hall.stored(held_sitting.attempt.id) == {question: ("x", 1)}


async def test_an_attempt_that_is_not_there_is_not_found_in_the_end(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    strange = hall.request(who, uuid4(), sent(question, "x", 1))

    (result,) = await hall.saver.save_batch([strange], may_wait=False)

    assert fault(result) == "not_found"


async def test_no_save_is_kept_in_memory_of_another_attempt(hall: Hall, db: Database) -> None:
    """The exam of an attempt is remembered, its state never is."""
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    await hall.save(who, sitting.attempt.id, sent(question, "x"))
    await hall.submit(who, sitting.attempt.id)

    assert fault(await hall.save(who, sitting.attempt.id, sent(question, "y"))) == "already_submitted"
    assert len(await rows(db, "SELECT 1 FROM student_answers")) == 1
