"""Regrades against the real Postgres: answers and earlier scores stay, grades follow, whenever they come."""

import asyncio
import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7
from examkit.testing import eventually
from examkit.testing.databases import TestDatabase
from examprotos.grading.v1 import events_pb2
from grading_service.domain.key import ChoiceKey, Key, NumericKey, decimal_of
from grading_service.domain.regrading import Regrade, RegradePolicy
from grading_service.domain.release import Reveal
from grading_service.exam_ends import ExamEnds
from grading_service.repository.papers import PaperCache
from grading_service.usecases import apply_regrades
from grading_service.usecases.apply_regrades import apply_all, apply_some, apply_within
from grading_service.usecases.grade_attempts import GRADED, ClosedAttempt, grade_attempts
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.regrade import Wanted, preview, regrade, roll_back
from grading_service.usecases.regrades import get_regrade
from grading_service.usecases.student_results import VisibleResult, my_result

from .conftest import ALL_RIGHT, NOW, FrozenExam, exam_policy, freeze
from .test_batches import waits

ADMIN = uuid7()
C = ChoiceKey(frozenset("C"))
REKEY, FULL_MARKS, EXCLUDE = RegradePolicy.REKEY, RegradePolicy.FULL_MARKS, RegradePolicy.EXCLUDE


def wanted(
    exam: FrozenExam, place: int, policy: RegradePolicy, key: Key | None = None, reason: str = "So."
) -> Wanted:
    return Wanted(exam.exam_id, UUID(exam.question_ids[place]), policy, key, reason)


class Desk:
    """An admin who regrades, and what others see of it."""

    def __init__(self, db: Database, cache: PaperCache, ends: ExamEnds) -> None:
        self.db, self.cache, self.ends = db, cache, ends

    async def grade(self, *closed: ClosedAttempt) -> None:
        async with self.db.transaction() as tx:
            await grade_attempts(tx, self.cache, closed, NOW)

    async def decide(self, asked: Wanted) -> Regrade:
        decided = await regrade(self.db, self.cache, asked, ADMIN, NOW)
        assert await apply_within(self.db, self.cache, decided, lambda: NOW, 30)
        return decided

    async def undo(self, decided: Regrade) -> None:
        undone = await roll_back(self.db, self.cache, decided.exam_id, decided.id, "No.", ADMIN, NOW)
        assert await apply_within(self.db, self.cache, undone, lambda: NOW, 30)

    async def result(self, closed: ClosedAttempt) -> VisibleResult:
        found = await my_result(self.db, self.ends, closed.student_id, closed.student_exam_id, NOW)
        assert found is not None
        return found

    async def score(self, closed: ClosedAttempt) -> tuple[int, int, int]:
        sums = (await self.result(closed)).grade.totals
        return sums.total, sums.max_possible, sums.pending_count

    async def told(self, closed: ClosedAttempt) -> list[tuple[int, int]]:
        """(attempt version, grade version) of each event about it."""
        query = sa.text("SELECT body FROM outbox WHERE type = :type AND subject = :subject ORDER BY position")
        values = {"type": GRADED, "subject": str(closed.student_exam_id)}
        async with self.db.reading() as conn:
            bodies = (await conn.execute(query, values)).scalars().all()
        heard = [events_pb2.AttemptGraded.FromString(body) for body in bodies]
        return [(one.attempt_version, one.grade_version) for one in heard]

    async def rows(self, query: str) -> Sequence[Any]:
        async with self.db.reading() as conn:
            return (await conn.execute(sa.text(query))).all()


@pytest.fixture
def desk(db: Database, cache: PaperCache, ends: ExamEnds) -> Desk:
    return Desk(db, cache, ends)


async def test_a_dry_run_tells_the_difference_and_changes_nothing(desk: Desk, exam: FrozenExam) -> None:
    loser, winner, same = exam.closed({0: "B"}), exam.closed({0: "C"}), exam.closed({0: "D"})
    await desk.grade(loser, winner, same)
    proposed, found = await preview(desk.db, desk.cache, wanted(exam, 0, REKEY, C), ADMIN, NOW)
    assert proposed.version == 1
    told = {one.student_exam_id: (one.before.total, one.after.total) for one in found}
    assert told == {
        loser.student_exam_id: (200, 0),
        winner.student_exam_id: (0, 200),
        same.student_exam_id: (0, 0),
    }
    assert found[-1].student_exam_id == same.student_exam_id, "who is not concerned comes last"
    assert [await desk.score(one) for one in (loser, winner, same)] == [
        (200, 1200, 0),
        (0, 1200, 0),
        (0, 1200, 0),
    ]
    for table in ("regrades", "score_history"):
        assert await desk.rows(f"SELECT * FROM {table}") == []
    assert await desk.told(loser) == [(2, 1)]


async def test_a_rekey_changes_grades_views_and_what_comes_later(desk: Desk, exam: FrozenExam) -> None:
    loser, winner, same = exam.closed({0: "B"}), exam.closed({0: "C"}), exam.closed({0: "D"})
    await desk.grade(loser, winner, same)
    decided = await desk.decide(wanted(exam, 0, REKEY, C))
    assert [(await desk.score(one))[0] for one in (loser, winner, same)] == [0, 200, 0]
    result = await desk.result(winner)
    assert result.items[0]["is_correct"] is True
    assert result.changes == [
        {
            "question_id": exam.question_ids[0],
            "policy": "rekey",
            "reason": "So.",
            "at": NOW.isoformat(),
            "score_before": 0,
            "score_after": 200,
        }
    ]
    assert (await desk.result(same)).changes == []
    assert await desk.told(winner) == [(2, 1), (2, 2)], "the version of the attempt is exam's alone"
    assert await desk.told(same) == [(2, 1)]
    known = await get_regrade(desk.db, exam.exam_id, decided.id)
    assert known.applied
    assert {one.student_exam_id for one in known.differences} == {
        loser.student_exam_id,
        winner.student_exam_id,
    }
    late, newer = exam.closed({0: "C"}), replace(loser, attempt_version=3, answers=winner.answers)
    await desk.grade(late, newer)
    assert [(await desk.score(one))[0] for one in (late, newer)] == [200, 200]
    assert (await desk.result(late)).grade.rules_version == 1
    assert (await desk.result(newer)).changes == [], "this answer never had another score"


async def test_the_revealed_answer_is_the_one_that_counts(desk: Desk, exam: FrozenExam) -> None:
    same = exam.closed({0: "D"})
    await desk.grade(same)
    await desk.decide(wanted(exam, 0, REKEY, C))
    ((views,),) = await desk.rows("SELECT revealing FROM student_views")
    # The student saw the options in the order D, C, B, A.
    assert views[0]["correct"] == ["B"]


async def test_earlier_scores_stay_for_good(desk: Desk, exam: FrozenExam, database: TestDatabase) -> None:
    closed = exam.closed({0: "B"})
    await desk.grade(closed)
    await desk.decide(wanted(exam, 0, REKEY, C, reason="Misprint."))
    await desk.grade(replace(closed, attempt_version=3))
    history = await desk.rows(
        "SELECT attempt_version, score_before, score_after, total_before, total_after FROM score_history"
        " ORDER BY id LIMIT 2"
    )
    assert [tuple(row) for row in history] == [(2, 200, 0, 200, 0), (2, 0, None, 0, None)]
    (entry,) = await desk.rows("SELECT * FROM audit WHERE action = 'attempt.regraded'")
    assert (entry.object_id, entry.actor_id) == (str(closed.student_exam_id), str(ADMIN))
    assert (entry.before["score"], entry.after["score"], entry.reason) == (2.0, 0.0, "Misprint.")
    assert len(await desk.rows("SELECT * FROM audit WHERE action = 'question.regraded'")) == 1
    with psycopg.connect(database.serve_dsn, autocommit=True) as connection:
        for table in ("regrades", "score_history"):
            for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)


async def test_a_question_that_does_not_count(desk: Desk, exam: FrozenExam) -> None:
    closed = exam.closed(ALL_RIGHT)
    await desk.grade(closed)
    decided = await desk.decide(wanted(exam, 5, EXCLUDE))
    assert await desk.score(closed) == (1000, 1000, 0)
    item = (await desk.result(closed)).items[5]
    assert (item["status"], item["is_correct"]) == ("excluded", None)
    with pytest.raises(AppError, match="not_markable"):
        await put_mark(desk.db, desk.cache, closed.student_exam_id, decided.question_id, 100, "", ADMIN, NOW)
    await desk.undo(decided)
    assert await desk.score(closed) == (1000, 1200, 1)


async def test_full_marks_go_before_a_mark_which_comes_back(desk: Desk, exam: FrozenExam) -> None:
    marked, empty = exam.closed(ALL_RIGHT), exam.closed()
    await desk.grade(marked, empty)
    essay = UUID(exam.question_ids[5])
    await put_mark(desk.db, desk.cache, marked.student_exam_id, essay, 50, "Thin.", ADMIN, NOW)
    decided = await desk.decide(wanted(exam, 5, FULL_MARKS))
    assert [(await desk.score(one))[0] for one in (marked, empty)] == [1200, 200]
    await desk.grade(replace(marked, attempt_version=3))
    assert (await desk.result(marked)).items[5]["comment"] == "Thin."
    await desk.undo(decided)
    assert [await desk.score(one) for one in (marked, empty)] == [(1050, 1200, 0), (0, 1200, 0)]
    # Another mark, put aside and back like the first.
    await put_mark(desk.db, desk.cache, marked.student_exam_id, essay, 150, "Better.", ADMIN, NOW)
    await desk.undo(await desk.decide(wanted(exam, 5, EXCLUDE)))
    assert await desk.score(marked) == (1150, 1200, 0)
    ((marks,),) = await desk.rows("SELECT count(*) FROM mark_history")
    assert marks == 2


async def test_a_mark_goes_before_another_key(desk: Desk, exam: FrozenExam) -> None:
    closed = exam.closed({0: "B"})
    await desk.grade(closed)
    first = UUID(exam.question_ids[0])
    await put_mark(desk.db, desk.cache, closed.student_exam_id, first, 150, "Nearly.", ADMIN, NOW)
    await desk.decide(wanted(exam, 0, REKEY, C))
    assert (await desk.score(closed))[0] == 150


async def test_rolling_back_gives_what_counted_before(desk: Desk, exam: FrozenExam) -> None:
    closed = exam.closed({0: "C"})
    await desk.grade(closed)
    rekeyed = await desk.decide(wanted(exam, 0, REKEY, C))
    excluded = await desk.decide(wanted(exam, 0, EXCLUDE))
    await desk.undo(rekeyed)
    assert await desk.score(closed) == (0, 1000, 0), "it still does not count"
    await desk.undo(excluded)
    assert await desk.score(closed) == (0, 1200, 0)
    told = [
        (one["policy"], one["score_before"], one["score_after"])
        for one in (await desk.result(closed)).changes
    ]
    assert told == [("rekey", 0, 200), ("exclude", 200, None), ("rollback", None, 0)]
    for undone, code in ((excluded, "already_rolled_back"), (replace(excluded, id=uuid7()), "not_found")):
        with pytest.raises(AppError, match=code):
            await desk.undo(undone)
    ((rollback,),) = await desk.rows("SELECT id FROM regrades WHERE version = 4")
    with pytest.raises(AppError, match="not_a_regrade"):
        await desk.undo(replace(excluded, id=rollback))
    with pytest.raises(AppError, match="invalid"):
        await roll_back(desk.db, desk.cache, exam.exam_id, rekeyed.id, " ", ADMIN, NOW)


async def test_what_stands_is_not_decided_again(desk: Desk, exam: FrozenExam) -> None:
    closed = exam.closed({0: "C"})
    await desk.grade(closed)
    first = await desk.decide(wanted(exam, 0, REKEY, C))
    assert await desk.decide(wanted(exam, 0, REKEY, C)) == first
    assert await desk.told(closed) == [(2, 1), (2, 2)]


@pytest.mark.parametrize(
    ("place", "policy", "key", "loc"),
    [
        (0, REKEY, None, "key"),
        (0, REKEY, ChoiceKey(frozenset("E")), "key"),
        (0, REKEY, ChoiceKey(frozenset("AB")), "key"),
        (0, REKEY, NumericKey(decimal_of("1") or 0), "key"),  # type: ignore[arg-type]
        (0, EXCLUDE, C, "key"),
        (5, REKEY, None, "policy"),
    ],
)
async def test_what_does_not_fit_is_refused(
    desk: Desk, exam: FrozenExam, place: int, policy: RegradePolicy, key: Key | None, loc: str
) -> None:
    for ask in (preview, regrade):
        with pytest.raises(AppError) as caught:
            await ask(desk.db, desk.cache, wanted(exam, place, policy, key), ADMIN, NOW)
        assert (caught.value.code, caught.value.errors[0].loc[0]) == ("invalid", loc)
    assert await desk.rows("SELECT * FROM regrades") == []


async def test_an_exam_without_paper_and_another_exams_question(desk: Desk, exam: FrozenExam) -> None:
    for ask in (preview, regrade):
        with pytest.raises(AppError, match="not_published"):
            await ask(desk.db, desk.cache, replace(wanted(exam, 0, EXCLUDE), exam_id=uuid7()), ADMIN, NOW)
        stranger = replace(wanted(exam, 0, EXCLUDE), question_id=uuid7())
        with pytest.raises(AppError, match="not_found"):
            await ask(desk.db, desk.cache, stranger, ADMIN, NOW)


async def test_a_grade_that_is_being_given_is_not_left_behind(desk: Desk, exam: FrozenExam) -> None:
    closed = exam.closed({0: "C"})
    async with desk.db.transaction() as tx:
        await grade_attempts(tx, desk.cache, [closed], NOW)
        deciding = asyncio.create_task(desk.decide(wanted(exam, 0, REKEY, C)))
        await eventually(functools.partial(waits, desk.db, 1))
    await deciding
    assert (await desk.score(closed))[0] == 200


async def test_what_a_crash_left_is_done_by_the_worker(
    desk: Desk, exam: FrozenExam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply_regrades, "CHUNK", 2)
    closed = [exam.closed({0: "C"}) for _ in range(5)]
    await desk.grade(*closed)
    for asked in (wanted(exam, 0, REKEY, C), wanted(exam, 5, EXCLUDE)):
        await regrade(desk.db, desk.cache, asked, ADMIN, NOW)
    assert await apply_some(desk.db, desk.cache, exam.exam_id, NOW)
    assert sorted([(await desk.score(one))[0] for one in closed]) == [0, 0, 0, 200, 200]
    # Two at once take turns, and none does twice what the other did.
    await asyncio.gather(*(apply_all(desk.db, desk.cache, lambda: NOW) for _ in range(2)))
    await apply_all(desk.db, desk.cache, lambda: NOW)
    assert [await desk.score(one) for one in closed] == [(200, 1000, 0)] * 5
    assert [await desk.told(one) for one in closed] == [[(2, 1), (2, 2), (2, 3)]] * 5
    ((kept,),) = await desk.rows("SELECT count(*) FROM score_history")
    assert kept == 10
    assert await desk.rows("SELECT exam_id FROM papers WHERE applied_version < rules_version") == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reveal": Reveal.CORRECTNESS}, [("question", 0, 200)]),
        ({"reveal": Reveal.SCORE}, [(None, None, None)]),
        ({"result_policy": "manual"}, []),
    ],
)
async def test_students_are_told_what_the_policy_allows(
    desk: Desk, changes: dict[str, Any], told: list[tuple[Any, ...]]
) -> None:
    exam = await freeze(desk.db, exam_policy(**changes))
    closed = exam.closed({0: "C"})
    await desk.grade(closed)
    await desk.decide(wanted(exam, 0, REKEY, C))
    found = (await desk.result(closed)).changes
    named = [one["question_id"] and "question" for one in found]
    scores = [(one["score_before"], one["score_after"]) for one in found]
    assert [(name, *pair) for name, pair in zip(named, scores, strict=True)] == told
    assert all(one["reason"] == "So." for one in found)
