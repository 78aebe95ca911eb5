"""Right answers wait for exam's own word, over real gRPC: what grading knows of an exam may be late."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from examkit.db import Database
from examkit.ids import uuid7
from examkit.principal import Principal
from examkit.rpc.context import acting
from examkit.testing import eventually
from examprotos.grading.v1 import results_pb2
from grading_service import exam_ends
from grading_service.domain.release import Reveal
from grading_service.repository import results
from grading_service.repository.papers import PaperCache
from grading_service.rpc.results import ResultsServicer
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.grade_attempts import ClosedAttempt, grade_attempts
from grading_service.usecases.student_results import VisibleResult, my_released_result, my_results, results_of

from .conftest import NOW, SENTINEL, exam_policy, freeze
from .fakes import Certificates, Neighbour, neighbour

END = NOW + timedelta(hours=1)


@pytest.fixture
async def beside(certificates: Certificates) -> AsyncIterator[Neighbour]:
    async with neighbour(certificates) as made:
        yield made


async def graded(db: Database, cache: PaperCache, **policy: object) -> ClosedAttempt:
    """An attempt at an exam that reveals answers, and that ends at END as far as grading knows."""
    told = exam_policy(**({"reveal": Reveal.ANSWERS, "last_possible_end": END} | policy))
    closed = (await freeze(db, told)).closed({0: "C"})
    async with db.transaction() as tx:
        await grade_attempts(tx, cache, [closed], NOW)
    return closed


async def seen(db: Database, beside: Neighbour, closed: ClosedAttempt) -> VisibleResult:
    """The result as its student sees it a moment after END."""
    now = END + timedelta(seconds=1)
    return await my_released_result(db, beside.ends, closed.student_id, closed.student_exam_id, now)


def is_withheld(result: VisibleResult) -> bool:
    return (
        result.reveal is Reveal.CORRECTNESS
        and SENTINEL not in repr(result)
        and len(result.items) == 6
        and all("correct" not in item for item in result.items)
    )


async def test_the_key_is_seen_only_when_nobody_may_sit_any_more(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    closed = await graded(db, cache)
    beside.exam.over[closed.exam_id] = True
    before = await my_released_result(db, beside.ends, closed.student_id, closed.student_exam_id, NOW)
    assert is_withheld(before)
    assert not beside.exam.asked, "what is stored says enough"
    after = await seen(db, beside, closed)
    assert after.reveal is Reveal.ANSWERS
    assert after.items[0]["correct"] == ["C"], "B was shown as C"
    assert SENTINEL in repr(after)


async def test_an_end_that_was_moved_later_counts_before_its_event_is_there(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    closed = await graded(db, cache)
    beside.exam.over[closed.exam_id] = False
    assert is_withheld(await seen(db, beside, closed))
    assert beside.exam.asked[closed.exam_id] == 1


async def test_right_answers_do_not_leave_the_table_without_exams_word(
    db: Database, cache: PaperCache
) -> None:
    closed, other = await graded(db, cache), await graded(db, cache)
    pairs = [(one.student_id, one.student_exam_id) for one in (closed, other)]
    async with db.reading() as conn:
        stored = await results.by_attempts(conn, pairs, END, over={other.exam_id})
        early = await results.by_attempts(conn, pairs, NOW, over={closed.exam_id, other.exam_id})
    assert [stored[pair].revealing is None for pair in pairs] == [True, False]
    assert [early[pair].revealing for pair in pairs] == [None, None]


async def test_without_an_exam_to_ask_nothing_is_revealed(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    closed = await graded(db, cache)
    beside.exam.over[closed.exam_id] = True
    await beside.server.stop(0)
    assert is_withheld(await seen(db, beside, closed))
    assert not beside.exam.asked


async def test_an_exam_that_hangs_or_knows_of_none_reveals_nothing(
    db: Database, cache: PaperCache, beside: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, unknown = await graded(db, cache), await graded(db, cache)
    beside.exam.over[hanging.exam_id] = True
    assert is_withheld(await seen(db, beside, unknown))
    monkeypatch.setattr(exam_ends, "ASK_SECONDS", 0.2)
    beside.exam.gate.clear()
    assert is_withheld(await seen(db, beside, hanging))
    assert beside.exam.asked == {unknown.exam_id: 1, hanging.exam_id: 1}


async def test_a_question_that_fails_in_any_way_costs_no_result(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    closed = await graded(db, cache)
    beside.exam.over[closed.exam_id] = True
    await beside.channel.close()  # no error of a call, but of its use
    assert is_withheld(await seen(db, beside, closed))


async def test_an_exam_that_hangs_keeps_no_result_of_another_waiting(
    db: Database, cache: PaperCache, beside: Neighbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exam_ends, "ASK_SECONDS", 60.0)
    hanging, plain = await graded(db, cache), await graded(db, cache, reveal=Reveal.CORRECTNESS)
    beside.exam.over[hanging.exam_id] = True
    beside.exam.gate.clear()
    servicer = ResultsServicer(db, beside.ends, GradeWaiters(db), lambda: END)

    async def awaited(closed: ClosedAttempt) -> results_pb2.StudentResult:
        request = results_pb2.AwaitRequest(student_exam_id=str(closed.student_exam_id))
        with acting(principal=Principal(closed.student_id, "student", frozenset(), uuid7(), 1, 4e9)):
            return await servicer.Await(request, None)  # type: ignore[arg-type]

    waiting = asyncio.create_task(awaited(hanging))
    await eventually(lambda: beside.exam.asked[hanging.exam_id] == 1)
    assert (await awaited(plain)).items
    assert not waiting.done()
    beside.exam.gate.set()
    assert (await waiting).items[0].explanation


async def test_a_class_that_looks_at_once_asks_once(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    first, second = await graded(db, cache), await graded(db, cache)
    beside.exam.over |= {first.exam_id: True, second.exam_id: False}
    beside.exam.gate.clear()
    looking = [asyncio.create_task(seen(db, beside, one)) for one in (first, second) * 20]
    impatient = asyncio.create_task(seen(db, beside, first))
    await eventually(lambda: beside.exam.asked.total() == 2)
    impatient.cancel()
    beside.exam.gate.set()
    found = await asyncio.gather(*looking)
    assert [one.reveal for one in found] == [Reveal.ANSWERS, Reveal.CORRECTNESS] * 20
    assert beside.exam.asked == {first.exam_id: 1, second.exam_id: 1}


async def test_an_exam_is_asked_one_question_at_a_time(beside: Neighbour) -> None:
    exam_id = uuid7()
    beside.exam.over[exam_id] = True
    beside.exam.gate.clear()
    asking = [asyncio.create_task(beside.ends.over([exam_id]))]
    await eventually(lambda: beside.exam.asked[exam_id] == 1)
    beside.ticks.now += 60
    asking.append(asyncio.create_task(beside.ends.over([exam_id])))
    await asyncio.sleep(0)
    beside.exam.gate.set()
    assert await asyncio.gather(*asking) == [{exam_id}] * 2
    assert beside.exam.asked[exam_id] == 1


@pytest.mark.parametrize("first", [True, False])
async def test_what_exam_said_is_remembered_for_five_seconds(
    db: Database, cache: PaperCache, beside: Neighbour, first: bool
) -> None:
    closed = await graded(db, cache)
    beside.exam.over[closed.exam_id] = first
    for seconds, over, asked in ((0, first, 1), (4.9, first, 1), (0.1, not first, 2)):
        beside.ticks.now += seconds
        result = await seen(db, beside, closed)
        assert (result.reveal is Reveal.ANSWERS) is over
        assert beside.exam.asked[closed.exam_id] == asked
        beside.exam.over[closed.exam_id] = not first


async def test_memory_is_bounded(beside: Neighbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exam_ends, "MOST_REMEMBERED", 2)
    one, two, three = (uuid7() for _ in range(3))
    beside.exam.over = dict.fromkeys((one, two, three), True)
    for exam_id in (one, two, three, two, three, one):
        assert await beside.ends.over([exam_id]) == {exam_id}
    assert beside.exam.asked == {one: 2, two: 1, three: 1}


@pytest.mark.parametrize(
    "policy",
    [
        {"reveal": Reveal.CORRECTNESS},
        {"reveal": Reveal.SCORE},
        {"last_possible_end": None},
        {"last_possible_end": END + timedelta(hours=1)},
    ],
)
async def test_exam_is_not_asked_where_the_policy_says_enough(
    db: Database, cache: PaperCache, beside: Neighbour, policy: dict[str, object]
) -> None:
    closed = await graded(db, cache, **policy)
    beside.exam.over[closed.exam_id] = True
    assert SENTINEL not in repr(await seen(db, beside, closed))
    assert not beside.exam.asked


async def test_a_list_asks_nothing(db: Database, cache: PaperCache, beside: Neighbour) -> None:
    closed = await graded(db, cache)
    (listed,) = await my_results(db, closed.student_id, 10, None, END)
    assert (listed.reveal, listed.items) == (Reveal.CORRECTNESS, [])


async def test_each_of_many_results_goes_by_its_own_exam(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    over, moved, plain = [
        await graded(db, cache, reveal=reveal)
        for reveal in (Reveal.ANSWERS, Reveal.ANSWERS, Reveal.CORRECTNESS)
    ]
    beside.exam.over |= {over.exam_id: True, moved.exam_id: False}
    asked = [(one.student_id, one.student_exam_id) for one in (moved, over, plain)]
    found = await results_of(db, beside.ends, asked, END)
    assert [one and one.reveal for one in found] == [Reveal.CORRECTNESS, Reveal.ANSWERS, Reveal.CORRECTNESS]
    assert ["correct" in one.items[0] for one in found if one] == [False, True, False]


async def test_the_students_surface_goes_by_exams_word(
    db: Database, cache: PaperCache, beside: Neighbour
) -> None:
    closed = await graded(db, cache)
    servicer = ResultsServicer(db, beside.ends, GradeWaiters(db), lambda: END)
    attempt = str(closed.student_exam_id)

    async def both() -> list[results_pb2.StudentResult]:
        with acting(principal=Principal(closed.student_id, "student", frozenset(), uuid7(), 1, 4e9)):
            return [
                await servicer.Await(results_pb2.AwaitRequest(student_exam_id=attempt), None),  # type: ignore[arg-type]
                await servicer.GetMyResult(results_pb2.GetMyResultRequest(student_exam_id=attempt), None),  # type: ignore[arg-type]
            ]

    beside.exam.over[closed.exam_id] = False
    for message in await both():
        assert SENTINEL not in str(message)
        assert not any(item.correct_json or item.explanation for item in message.items)
    beside.exam.over[closed.exam_id] = True
    beside.ticks.now += 5
    for message in await both():
        assert message.items[0].correct_json == b'["C"]'
        assert SENTINEL in message.items[0].explanation
