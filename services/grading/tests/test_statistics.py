"""Statistics out of Postgres, held against Python's own of the same attempts."""

import random
import statistics as reference
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from examkit.db import Database
from examkit.ids import uuid7
from grading_service.domain.item_analysis import cronbach_alpha
from grading_service.domain.regrading import RegradePolicy
from grading_service.repository import grades
from grading_service.repository.papers import PaperCache
from grading_service.repository.statistics import QuestionFigures
from grading_service.repository.withdrawals import Withdrawal
from grading_service.usecases.apply_regrades import apply_all
from grading_service.usecases.exam_statistics import Statistics, exam_statistics
from grading_service.usecases.grade_attempts import ClosedAttempt, grade_attempts
from grading_service.usecases.put_mark import put_mark
from grading_service.usecases.regrade import Wanted, regrade
from grading_service.usecases.withdraw_grades import withdraw_grades

from .conftest import ALL_RIGHT, NOW, FrozenExam

ANSWERS: list[list[Any]] = [
    [None, "A", "B", "C", "D"],
    [None, [], ["A"], ["A", "C"], ["B", "D"]],
    [None, "true", "false"],
    ["9.81", "9.8", "10", " "],
    ["Newton", "newton ", "Einstein", ""],
    [None, "An essay."],
]


class Class:
    """Students whose attempts are graded at once; all answers that were given are at hand."""

    def __init__(self, db: Database, cache: PaperCache, exam: FrozenExam) -> None:
        self.db, self.cache, self.exam = db, cache, exam

    async def sit(self, *closed: ClosedAttempt) -> None:
        async with self.db.transaction() as tx:
            await grade_attempts(tx, self.cache, closed, NOW)

    async def mark(self, closed: ClosedAttempt, score: int) -> None:
        essay = UUID(self.exam.question_ids[5])
        await put_mark(self.db, self.cache, closed.student_exam_id, essay, score, "", uuid7(), NOW)

    async def figures(self) -> Statistics:
        return await exam_statistics(self.db, self.exam.exam_id)

    async def scores(self, closed: list[ClosedAttempt]) -> list[list[int]]:
        """A row an attempt, a column a question."""
        async with self.db.reading() as conn:
            pairs = [(one.student_id, one.student_exam_id) for one in closed]
            items = await grades.items(conn, pairs)
        return [[item.mark.score or 0 for item in items[one.student_exam_id]] for one in closed]


@pytest.fixture
def room(db: Database, cache: PaperCache, exam: FrozenExam) -> Class:
    return Class(db, cache, exam)


def some(exam: FrozenExam, number: int) -> list[ClosedAttempt]:
    chance = random.Random(7)
    return [
        exam.closed({place: chance.choice(choice) for place, choice in enumerate(ANSWERS)})
        for _ in range(number)
    ]


def of(found: QuestionFigures) -> tuple[int, int, int]:
    return found.answered, found.graded, found.pending


async def test_figures_are_those_of_an_independent_reckoning(room: Class, exam: FrozenExam) -> None:
    closed = some(exam, 60)
    await room.sit(*closed)
    chance = random.Random(8)
    for one in closed:
        if one.answers[exam.question_ids[5]][0] is not None:
            await room.mark(one, chance.choice([0, 50, 200]))
    rows = await room.scores(closed)
    totals = [sum(row) for row in rows]
    found = await room.figures()
    whole = found.whole
    assert (whole.attempts, whole.pending, whole.max_possible) == (60, 0, 1200)
    assert whole.mean == pytest.approx(reference.mean(totals))
    assert whole.median == pytest.approx(reference.median(totals))
    assert whole.sd == pytest.approx(reference.stdev(totals))
    assert (whole.lowest, whole.highest) == (min(totals), max(totals))
    bins = Counter(min(total * 10 // 1200, 9) for total in totals)
    assert found.distribution == [bins[place] for place in range(10)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    for question, column in zip(found.questions, columns, strict=True):
        rest = [total - score for total, score in zip(totals, column, strict=True)]
        assert question.mean == pytest.approx(reference.mean(column))
        assert question.difficulty == pytest.approx(reference.mean(column) / 200)
        assert question.discrimination == pytest.approx(reference.correlation(column, rest))
    alpha = 6 / 5 * (1 - sum(map(reference.variance, columns)) / reference.variance(totals))
    assert found.alpha == pytest.approx(alpha)


async def test_answers_are_counted_as_authored_and_as_typed(room: Class, exam: FrozenExam) -> None:
    closed = some(exam, 40)
    await room.sit(*closed)
    found = await room.figures()
    given = [[one.answers[question_id][0] for one in closed] for question_id in exam.question_ids]
    chosen = Counter(given[0]), Counter(letter for answer in given[1] for letter in answer or ())
    told = [found.answers[question.question_id] for question in found.questions]
    for place in (0, 1):
        assert told[place] == {letter: chosen[place][letter] for letter in "ABCD"}
    assert told[2] == {"true": given[2].count("true"), "false": given[2].count("false")}
    typed = Counter(answer.strip() for answer in given[4] if answer.strip())
    assert dict(told[4]) == dict(typed)
    assert list(told[4].values()) == sorted(typed.values(), reverse=True)
    assert told[5] == {}, "what was written at length is nobody's statistic"
    for question, answers in zip(found.questions, given, strict=True):
        assert question.answered == sum(bool(answer and str(answer).strip()) for answer in answers)


async def test_what_waits_for_a_marker_is_left_out_until_then(room: Class, exam: FrozenExam) -> None:
    done, waits = exam.closed({0: "B"}), exam.closed({0: "B", 5: "An essay."})
    await room.sit(done, waits)
    found = await room.figures()
    assert (found.whole.attempts, found.whole.pending) == (2, 1)
    assert (found.whole.mean, found.whole.sd) == (200, None)
    assert found.distribution == [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    essay = found.questions[5]
    assert of(essay) == (1, 1, 1)
    assert (essay.variance, essay.discrimination) == (None, None)
    assert [of(one) for one in found.questions[:2]] == [(2, 2, 0), (0, 2, 0)]
    await room.mark(waits, 200)
    found = await room.figures()
    assert (found.whole.pending, found.whole.mean, of(found.questions[5])) == (0, 300, (1, 2, 0))


async def test_of_each_student_the_last_attempt_counts(room: Class, exam: FrozenExam) -> None:
    first, other = exam.closed({0: "C"}), exam.closed({0: "C"})
    again = replace(exam.closed({0: "B"}), student_id=first.student_id, attempt_no=2)
    await room.sit(first, other, again)
    found = await room.figures()
    assert (found.whole.attempts, found.whole.mean) == (2, 100)
    assert found.answers[UUID(exam.question_ids[0])] == {"A": 0, "B": 1, "C": 1, "D": 0}


async def test_a_grade_that_was_withdrawn_is_in_no_figure(room: Class, exam: FrozenExam) -> None:
    first, other = exam.closed({0: "C"}), exam.closed({0: "C"})
    again = replace(exam.closed({0: "B"}), student_id=first.student_id, attempt_no=2)
    await room.sit(first, other, again)
    async with room.db.transaction() as tx:
        for one in (other, again):
            gone = Withdrawal(one.student_id, one.student_exam_id, one.exam_id, 3, "void")
            await withdraw_grades(tx, [gone], NOW)
    found = await room.figures()
    assert (found.whole.attempts, found.whole.mean) == (1, 0)
    assert found.answers[UUID(exam.question_ids[0])] == {"A": 0, "B": 0, "C": 1, "D": 0}


async def test_what_is_undefined_is_none(room: Class, exam: FrozenExam) -> None:
    found = await room.figures()
    assert (found.whole.attempts, found.whole.mean, found.alpha) == (0, None, None)
    assert [(one.difficulty, one.discrimination) for one in found.questions] == [(None, None)] * 6
    assert len(found.answers[UUID(exam.question_ids[0])]) == 4
    same = {place: answer for place, answer in ALL_RIGHT.items() if place != 5}
    await room.sit(*(exam.closed(same) for _ in range(3)))
    found = await room.figures()
    assert [one.difficulty for one in found.questions] == [1, 1, 1, 1, 1, 0]
    assert [one.discrimination for one in found.questions] == [None] * 6
    assert (found.whole.sd, found.alpha) == (0, None)
    nobody = await exam_statistics(room.db, uuid7())
    assert (nobody.whole.attempts, nobody.questions, sum(nobody.distribution)) == (0, [], 0)


async def test_a_question_that_does_not_count_is_in_no_figure(room: Class, exam: FrozenExam) -> None:
    closed = some(exam, 30)
    await room.sit(*closed)
    for place in (1, 5):
        asked = Wanted(exam.exam_id, UUID(exam.question_ids[place]), RegradePolicy.EXCLUDE, None, "")
        await regrade(room.db, room.cache, asked, uuid7(), NOW)
    await apply_all(room.db, room.cache, lambda: NOW)
    found = await room.figures()
    excluded = found.questions[1]
    assert (excluded.excluded, excluded.difficulty, excluded.discrimination) == (True, None, None)
    columns = [list(column) for column in zip(*await room.scores(closed), strict=True)]
    counted = [columns[place] for place in (0, 2, 3, 4)]
    totals = [sum(row) for row in zip(*counted, strict=True)]
    alpha = 4 / 3 * (1 - sum(map(reference.variance, counted)) / reference.variance(totals))
    assert found.alpha == pytest.approx(alpha)


@pytest.mark.parametrize(
    ("variances", "total"), [([], None), ([1.0], 1.0), ([1.0, 1.0], 0.0), ([1.0, 1.0], None)]
)
def test_alpha_is_undefined(variances: list[float], total: float | None) -> None:
    assert cronbach_alpha(variances, total) is None


def test_questions_that_say_the_same_are_wholly_consistent() -> None:
    assert cronbach_alpha([1.0, 1.0], 4.0) == 1
