"""Saves where something fails or collides: the database refuses, a connection is lost, batches cross."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from exam_service.attempt_errors import AttemptHeld
from exam_service.domain.saving import NewAnswer, Save
from exam_service.repository import saves as repository
from exam_service.usecases.save import store
from examkit.db import Database, DatabaseAway
from examkit.testing.databases import TestDatabase

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


async def test_batches_that_cross_on_the_same_attempts_store_each_save_once(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    sittings = [await hall.sits(exam) for _ in range(6)]
    question = sittings[0][1].paper.questions[0].question_id

    async def batch(number: int) -> None:
        order = sittings if number % 2 else sittings[::-1]
        left = [hall.request(who, sitting.attempt.id, sent(question, f"{number}")) for who, sitting in order]
        while left:
            results = await hall.saver.save_batch(left)
            aside = [isinstance(result.fault, AttemptHeld) for result in results]
            assert all(
                held or outcomes(result) == ["stored"] for held, result in zip(aside, results, strict=True)
            )
            left = [request for held, request in zip(aside, left, strict=True) if held]

    await asyncio.gather(*(batch(number) for number in range(20)))

    for _, sitting in sittings:
        assert (await hall.stored(sitting.attempt.id))[question][1] == 20


async def test_held_attempts_are_set_aside_and_stall_no_other(hall: Hall, db: Database) -> None:
    """However many are held at once: no save waits in Postgres, and no connection is kept by one."""
    exam = await hall.exam(TEXTS)
    *held, free = [await hall.sits(exam) for _ in range(30)]
    question = free[1].paper.questions[0].question_id
    requests = [
        hall.request(who, sitting.attempt.id, sent(question, "x", 1)) for who, sitting in [*held, free]
    ]

    async with db.transaction() as tx:
        lock = "SELECT 1 FROM student_exams WHERE id = ANY (:ids) FOR UPDATE"
        await tx.conn.execute(sa.text(lock), {"ids": [sitting.attempt.id for _, sitting in held]})
        *aside, stored = await hall.saver.save_batch(requests)
        assert all(isinstance(result.fault, AttemptHeld) for result in aside)
        assert outcomes(stored) == ["stored"]
        assert not await hall.stored(held[0][1].attempt.id)

    again = await hall.saver.save_batch(requests[:-1])
    assert [outcomes(result) for result in again] == [["stored"]] * len(held)


HOSTILE = [
    '"',
    "\\",
    '\\\\"',
    "{}",
    "{a,b}",
    "NULL",
    ",",
    "\n\r\t",
    " lead and trail ",
    "",
    "\U0001f600",
    "\uffff",
    "'",
]


async def test_hostile_texts_come_back_unchanged(hall: Hall) -> None:
    """Arrays of texts are written by hand: nothing in one may end it, or become another."""
    exam = await hall.exam(("text",) * len(HOSTILE))
    who, sitting = await hall.sits(exam)
    questions = [question.question_id for question in sitting.paper.questions]
    answers = [sent(question, text, 1) for question, text in zip(questions, HOSTILE, strict=True)]

    await hall.save(who, sitting.attempt.id, *answers)

    stored = await hall.stored(sitting.attempt.id)
    assert [stored[question][0] for question in questions] == HOSTILE


async def test_no_save_is_kept_in_memory_of_another_attempt(hall: Hall, db: Database) -> None:
    """The exam of an attempt is remembered, its state never is."""
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    await hall.save(who, sitting.attempt.id, sent(question, "x"))
    await hall.submit(who, sitting.attempt.id)

    assert fault(await hall.save(who, sitting.attempt.id, sent(question, "y"))) == "already_submitted"
    assert len(await rows(db, "SELECT 1 FROM student_answers")) == 1


@contextmanager
def stumbling(database: TestDatabase, student_id: UUID) -> Iterator[None]:
    """Postgres raises at each answer of this student: not a matter of data, as a damaged row or index is."""
    made = f"""
        CREATE FUNCTION exam.stumble() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'XX001'; END $$;
        CREATE TRIGGER stumble BEFORE INSERT ON exam.student_answers FOR EACH ROW
            WHEN (NEW.student_id = '{student_id}') EXECUTE FUNCTION exam.stumble()
    """
    with psycopg.connect(database.admin_dsn, dbname=database.name, autocommit=True) as admin:
        admin.execute(made.encode())
        try:
            yield
        finally:
            admin.execute("DROP FUNCTION exam.stumble CASCADE")


async def test_a_row_that_postgres_stumbles_over_costs_nobody_else(
    hall: Hall, db: Database, database: TestDatabase
) -> None:
    exam = await hall.exam(TEXTS)
    sittings = [await hall.sits(exam) for _ in range(5)]
    struck = sittings[2][0].user_id
    question = sittings[0][1].paper.questions[0].question_id
    saves = [
        Save(who.user_id, sitting.attempt.id, (NewAnswer(question, "good", 1),), time.monotonic())
        for who, sitting in sittings
    ]
    with stumbling(database, struck):
        results = await store(db, saves)

    assert [result.fault.code if result.fault else outcomes(result)[0] for result in results] == [
        "stored",
        "stored",
        "internal",
        "stored",
        "stored",
    ]
