"""Grading against the real Postgres: exactly once, marks kept, keys nowhere but where they belong."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7
from examkit.testing.databases import TestDatabase
from examkit.testing.drift import schema_drift
from grading_service.domain.key import ChoiceKey
from grading_service.domain.scoring import Policy
from grading_service.exam_ends import ExamEnds
from grading_service.repository import policies
from grading_service.repository.keys import StoredKey
from grading_service.repository.papers import PaperCache, PaperQuestion
from grading_service.tables import metadata
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.freeze_paper import freeze_paper
from grading_service.usecases.grade_attempts import ClosedAttempt, grade_attempts
from grading_service.usecases.put_keys import put_keys
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.release_results import release_results
from grading_service.usecases.student_results import my_released_result, my_result, my_results

from .conftest import ABCD, ALL_RIGHT, NOW, TYPES, FrozenExam, exam_policy, freeze
from .counting import Left, left, once


async def grade(db: Database, cache: PaperCache, closed: ClosedAttempt) -> bool:
    async with db.transaction() as tx:
        return bool(await grade_attempts(tx, cache, [closed], NOW))


def test_the_migrated_schema_is_the_declared_one(database: TestDatabase) -> None:
    assert schema_drift(metadata, database.admin_dsn, "grading") == []


async def test_a_grade_is_written_once(
    db: Database, cache: PaperCache, ends: ExamEnds, exam: FrozenExam
) -> None:
    closed = exam.closed(ALL_RIGHT)
    assert await grade(db, cache, closed)
    assert await left(db, closed) == once(2)
    assert not await grade(db, cache, closed)
    # Told again to whoever asks again; nothing else is there twice.
    assert await left(db, closed) == Left(1, 6, 1, {2: 2})
    result = await my_released_result(db, ends, closed.student_id, closed.student_exam_id, NOW)
    assert (result.grade.totals.total, result.grade.totals.max_possible) == (1000, 1200)
    assert (result.grade.totals.graded_count, result.grade.totals.pending_count) == (5, 1)
    assert result.grade.totals.percentage == 8333


async def test_late_versions_change_nothing_newer_ones_do(
    db: Database, cache: PaperCache, ends: ExamEnds, exam: FrozenExam
) -> None:
    newer = exam.closed({0: "B"}, attempt_version=5)
    assert await grade(db, cache, newer)
    assert not await grade(db, cache, replace(newer, attempt_version=4, answers={}))
    assert await grade(db, cache, replace(newer, attempt_version=6, answers={}))
    result = await my_result(db, ends, newer.student_id, newer.student_exam_id, NOW)
    assert result is not None
    assert result.grade.totals.total == 0
    # The late one is answered with the version that counts.
    assert await left(db, newer) == Left(1, 6, 1, {5: 2, 6: 1})


async def test_deliveries_that_race_grade_once(db: Database, cache: PaperCache, exam: FrozenExam) -> None:
    closed = exam.closed(ALL_RIGHT)
    outcomes = await asyncio.gather(*(grade(db, cache, closed) for _ in range(5)))
    assert sorted(outcomes) == [False] * 4 + [True]
    rows = await left(db, closed)
    # Who lost the race for the first grade says nothing, who came after it tells it again.
    assert rows == Left(1, 6, 1, {2: rows.told[2]})
    assert 1 <= rows.told[2] <= 5


async def test_a_mark_completes_the_result_and_survives_a_new_version(
    db: Database, cache: PaperCache, ends: ExamEnds, exam: FrozenExam
) -> None:
    closed = exam.closed(ALL_RIGHT)
    await grade(db, cache, closed)
    essay, marker = UUID(exam.question_ids[5]), uuid7()
    marked, _ = await put_mark(db, cache, closed.student_exam_id, essay, 150, "Good.", marker, NOW)
    assert (marked.totals.total, marked.totals.pending_count) == (1150, 0)
    await grade(db, cache, replace(closed, attempt_version=9))
    result = await my_released_result(db, ends, closed.student_id, closed.student_exam_id, NOW)
    assert result.grade.totals.total == 1150
    assert result.items[5]["comment"] == "Good."
    assert await left(db, closed) == once(2, 9)
    async with db.reading() as conn:
        assert await conn.scalar(sa.text("SELECT count(*) FROM mark_history")) == 1
        assert await conn.scalar(sa.text("SELECT count(*) FROM audit WHERE action = 'answer.marked'")) == 1


@pytest.mark.parametrize(("score", "code"), [(201, "invalid"), (-1, "invalid")])
async def test_a_mark_out_of_range_is_refused(
    db: Database, cache: PaperCache, exam: FrozenExam, score: int, code: str
) -> None:
    closed = exam.closed(ALL_RIGHT)
    await grade(db, cache, closed)
    essay = UUID(exam.question_ids[5])
    with pytest.raises(AppError) as caught:
        await put_mark(db, cache, closed.student_exam_id, essay, score, "", uuid7(), NOW)
    assert caught.value.code == code


async def test_nobody_sees_another_students_result(
    db: Database, cache: PaperCache, ends: ExamEnds, exam: FrozenExam
) -> None:
    closed = exam.closed(ALL_RIGHT)
    await grade(db, cache, closed)
    assert await my_result(db, ends, uuid7(), closed.student_exam_id, NOW) is None


async def test_manual_results_wait_for_their_release(db: Database, cache: PaperCache, ends: ExamEnds) -> None:
    exam = await freeze(db, exam_policy(result_policy="manual"))
    closed = exam.closed(ALL_RIGHT)
    await grade(db, cache, closed)
    with pytest.raises(AppError) as caught:
        await my_released_result(db, ends, closed.student_id, closed.student_exam_id, NOW)
    assert caught.value.code == "results_not_released"
    (listed,) = await my_results(db, closed.student_id, 10, None, NOW)
    assert listed.reveal is None
    await release_results(db, exam.exam_id, uuid7(), NOW)
    assert await release_results(db, exam.exam_id, uuid7(), NOW + timedelta(days=1)) == NOW
    async with db.transaction() as tx:
        assert await policies.put(tx.conn, exam.exam_id, 3, exam_policy(result_policy="manual"))
        assert not await policies.put(tx.conn, exam.exam_id, 2, exam_policy(result_policy="immediate"))
    assert (await my_released_result(db, ends, closed.student_id, closed.student_exam_id, NOW)).items


async def test_keys_are_immutable(db: Database) -> None:
    kind, options, key = TYPES[0]
    stored = StoredKey(uuid7(), kind, options, key, "")
    await put_keys(db, [stored], None)
    await put_keys(db, [stored], None)
    with pytest.raises(AppError) as caught:
        await put_keys(db, [replace(stored, key=ChoiceKey(frozenset("A")))], None)
    assert caught.value.code == "key_immutable"


async def test_a_paper_with_a_missing_key_is_not_frozen(db: Database) -> None:
    kind, options, key = TYPES[0]
    stored = StoredKey(uuid7(), kind, options, key, "")
    await put_keys(db, [stored], None)
    there = PaperQuestion(uuid7(), stored.version_id, kind, options, 100, 1)
    missing = PaperQuestion(uuid7(), uuid7(), kind, options, 100, 2)
    misfit = PaperQuestion(uuid7(), stored.version_id, kind, ABCD[:3], 100, 3)
    exam_id = uuid7()
    told = await freeze_paper(db, exam_id, Policy(), [there, missing, misfit], exam_policy())
    assert told == [missing.question_id, misfit.question_id]
    assert await freeze_paper(db, exam_id, Policy(), [there], exam_policy()) == []
    assert await freeze_paper(db, exam_id, Policy(), [there], exam_policy()) == []


async def test_waiting_ends_with_the_grade(db: Database, cache: PaperCache, exam: FrozenExam) -> None:
    waiters = GradeWaiters(db)
    looking = asyncio.create_task(waiters.run())
    closed = exam.closed(ALL_RIGHT)
    waiting = [
        asyncio.create_task(waiters.wait(closed.student_id, closed.student_exam_id, 2, 30)) for _ in range(3)
    ]
    await grade(db, cache, closed)
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    await waiters.wait(closed.student_id, closed.student_exam_id, 3, 0.2)
    looking.cancel()
    assert not waiters._waiting


@pytest.mark.parametrize("table", ["answer_keys", "mark_history", "audit"])
async def test_history_cannot_be_rewritten(db: Database, table: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        async with db.transaction() as tx:
            await tx.conn.execute(sa.text(f"DELETE FROM {table}"))
