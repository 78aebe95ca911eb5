"""Starts and submits that come together: one transaction, and to each its own outcome."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from exam_service.domain.attempt import Status
from exam_service.domain.deadline import Accommodation
from exam_service.repository import attempts
from exam_service.usecases import close_attempt
from exam_service.usecases import start as start_module
from exam_service.usecases import submit as submit_module
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.roster import Roster, set_roster
from exam_service.usecases.start import Sitting, Starter
from exam_service.usecases.submit import Submitted
from examkit import telemetry
from examkit.db import Database
from examkit.errors import AppError, Kind

from .builders import rows, write
from .sitting import Hall, sent

TEXTS = ("text", "text")


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many went together, transaction by transaction."""
    sizes: list[int] = []

    def counting(real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(tx: Any, papers: Any, asked: Any, *rest: Any) -> Any:
            sizes.append(len(asked))
            return await real(tx, papers, asked, *rest)

        return run

    monkeypatch.setattr(start_module, "_start", counting(start_module._start))
    monkeypatch.setattr(submit_module, "_submit", counting(submit_module._submit))
    return sizes


async def together(actions: Iterable[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*actions, return_exceptions=True)


def told(outcome: Any) -> str:
    """What an outcome comes down to: a status, or the code of an error."""
    if isinstance(outcome, Sitting | Submitted):
        return outcome.attempt.status.value
    assert isinstance(outcome, AppError), outcome
    return outcome.code


async def test_submits_that_come_together_are_judged_each_for_itself(
    hall: Hall, db: Database, batches: list[int]
) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    people = [await hall.sits(exam) for _ in range(6)]
    (_, good), (_, expired), (_, void), (_, paused), (_, closed), (_, twice) = people
    stranger = hall.admit()
    hall.known.remember({(stranger.user_id, good.attempt.id): exam})
    question = good.paper.questions[0].question_id
    await hall.save(people[1][0], expired.attempt.id, sent(question, "saved"))
    await hall.move_deadline(expired.attempt.id, -1)
    for sitting, status in ((void, "void"), (paused, "paused")):
        await write(
            db,
            "UPDATE student_exams SET status = :s, closed_at = CASE WHEN :s = 'void' THEN now() END"
            " WHERE id = :id",
            s=status,
            id=sitting.attempt.id,
        )
    await hall.submit(people[4][0], closed.attempt.id)
    batches.clear()

    asked = [*people, (stranger, good), people[5]]
    done = await together(hall.submit(who, each.attempt.id, sent(question, "x", 1)) for who, each in asked)

    assert [told(each) for each in done] == [
        "submitted",
        "expired",
        "attempt_void",
        "attempt_paused",
        "submitted",
        "submitted",
        "not_found",
        "submitted",
    ]
    assert batches == [8, 1, 1]
    refused = {
        each.attempt.id: [verdict.code for verdict in each.rejected] for each in (*done[:2], *done[4:6])
    }
    assert refused == {
        good.attempt.id: [],
        expired.attempt.id: ["conflict"],
        closed.attempt.id: ["already_submitted"],
        twice.attempt.id: [],
    }
    assert done[7].attempt == done[5].attempt
    assert await hall.stored(expired.attempt.id) == {question: ("saved", 1)}
    assert await hall.stored(good.attempt.id) == {question: ("x", 1)}
    for sitting in (good, expired, closed, twice):
        assert len(await hall.closed_events(sitting.attempt.id)) == 1
    for sitting in (void, paused):
        assert await hall.closed_events(sitting.attempt.id) == []
        assert await hall.stored(sitting.attempt.id) == {}


async def test_an_answer_that_cannot_be_stored_costs_nobody_else_a_submit(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, batches: list[int]
) -> None:
    exam = await hall.exam(TEXTS)
    people = [await hall.sits(exam) for _ in range(4)]
    batches.clear()
    first, second = (question.question_id for question in people[0][1].paper.questions)
    monkeypatch.setitem(submit_module.judging.__globals__, "parse", lambda _q, raw: json.loads(raw))
    answers = ["a", "b", "nul \x00", "d"]

    done = await together(
        hall.submit(who, sitting.attempt.id, sent(first, answer), sent(second, "good"))
        for (who, sitting), answer in zip(people, answers, strict=True)
    )

    assert [told(each) for each in done] == ["submitted"] * 4
    assert [[verdict.code for verdict in each.rejected] for each in done] == [[], [], ["invalid"], []]
    for (_, sitting), answer in zip(people, answers, strict=True):
        kept = {second: ("good", 1)} if "\x00" in answer else {first: (answer, 1), second: ("good", 1)}
        assert await hall.stored(sitting.attempt.id) == kept
        assert len(await hall.closed_events(sitting.attempt.id)) == 1
    # The batch failed as a whole; alone the poisoned one is tried as it is, and then answer by answer.
    assert batches == [4, 1, 1, 1, 1, 1]


async def test_an_attempt_that_cannot_be_closed_costs_nobody_else_a_submit(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = await hall.exam(TEXTS)
    people = [await hall.sits(exam) for _ in range(3)]
    broken, real = people[1][1].attempt.id, close_attempt.attempt_closed

    def closing(attempt: Any, *rest: Any, **more: Any) -> Any:
        if attempt.id == broken:
            raise RuntimeError("no event")
        return real(attempt, *rest, **more)

    monkeypatch.setattr(close_attempt, "attempt_closed", closing)

    one, two, three = await together(hall.submit(who, sitting.attempt.id) for who, sitting in people)

    assert told(one) == told(three) == "submitted"
    assert isinstance(two, RuntimeError)
    assert (await hall.row(broken))["status"] == "in_progress"


async def test_nobody_waits_for_an_attempt_that_somebody_else_holds(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS)
    people = [await hall.sits(exam) for _ in range(3)]
    held = people[1][1].attempt.id

    async with db.transaction() as tx:
        await tx.conn.execute(sa.text("SELECT 1 FROM student_exams WHERE id = :id FOR UPDATE"), {"id": held})
        one, two, three = (
            asyncio.create_task(hall.submit(who, sitting.attempt.id)) for who, sitting in people
        )
        async with asyncio.timeout(4):
            done = list(await asyncio.gather(one, three))
            later = await hall.sits(exam)
            done.append(await hall.submit(later[0], later[1].attempt.id))
        assert [told(each) for each in done] == ["submitted"] * 3
        assert not two.done()

    assert told(await two) == "submitted"


async def test_starts_that_come_together_are_judged_each_for_itself(
    hall: Hall, db: Database, admin: Actor, batches: list[int], now: datetime
) -> None:
    exam, listed = await hall.exam(TEXTS, access_code="code"), await hall.exam(TEXTS, max_attempts=2)
    plain, helped, lost, member, named, foreign, again, late = (
        hall.admit(*groups) for groups in ((), (), (), ("7b",), (), ("7c",), ("7b",), ("7b",))
    )
    await put_accommodation(db, admin, helped.user_id, None, Accommodation(100))
    await put_accommodation(db, admin, helped.user_id, exam, Accommodation(50, per_exam=True))
    await set_roster(db, admin, listed, Roster(False, frozenset({named.user_id}), ("7b",)))
    begun, overdue = await hall.start(again, listed), await hall.start(late, listed)
    await hall.move_deadline(overdue.attempt.id, -1)
    over = await hall.exam(TEXTS)
    await write(db, "UPDATE exams SET end_time = :t WHERE id = :id", t=now - timedelta(hours=1), id=over)
    for known in (exam, over):
        await hall.paper(known)
    batches.clear()

    done = await together(
        [
            hall.start(plain, exam, "code"),
            hall.start(helped, exam, "code"),
            hall.start(lost, exam, "wrong"),
            hall.start(member, listed),
            hall.start(named, listed),
            hall.start(foreign, listed),
            hall.start(again, listed),
            hall.start(late, listed),
            hall.start(plain, exam, "code"),
            hall.start(plain, over),
        ]
    )

    assert [told(each) for each in done] == [
        "in_progress",
        "in_progress",
        "access_code_wrong",
        "in_progress",
        "in_progress",
        "not_found",
        "already_started",
        "in_progress",
        "already_started",
        "exam_not_open",
    ]
    assert batches == [10, 1, 1]
    assert done[1].attempt.deadline - done[1].attempt.started_at == timedelta(minutes=90)
    assert done[0].attempt.deadline - done[0].attempt.started_at == timedelta(minutes=60)
    assert done[6].extra["student_exam_id"] == str(begun.attempt.id)
    assert done[8].extra["student_exam_id"] == str(done[0].attempt.id)
    assert done[7].attempt.attempt_no == 2
    assert (await hall.row(overdue.attempt.id))["status"] == Status.EXPIRED
    stored = await rows(db, "SELECT id, seed, started_at FROM student_exams WHERE status = 'in_progress'")
    sittings = [each for each in [*done, begun] if isinstance(each, Sitting)]
    assert {row["id"]: (bytes(row["seed"]), row["started_at"]) for row in stored} == {
        each.attempt.id: (each.attempt.seed, each.attempt.started_at) for each in sittings
    }
    subjects = await rows(db, "SELECT subject FROM outbox WHERE type = :t", t=start_module.ATTEMPT_STARTED)
    assert len(subjects) == len({row["subject"] for row in subjects}) == len(sittings) + 1


async def test_an_exam_that_is_being_changed_keeps_nobody_from_another(hall: Hall, db: Database) -> None:
    changed, other = await hall.exam(TEXTS), await hall.exam(TEXTS)
    async with db.transaction() as tx:
        await attempts.change_alone(tx.conn, "exam", changed)
        waiting = []
        for _ in range(5):
            waiting.append(asyncio.create_task(hall.sits(changed)))
            await hall.sits(other)
        assert not any(start.done() for start in waiting)

    begun = await asyncio.gather(*waiting)

    assert {sitting.attempt.exam_id for _, sitting in begun} == {changed}


async def test_a_change_that_takes_long_is_not_waited_for(
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_module, "CHANGING_SECONDS", 0.0)
    exam, who = await hall.exam(TEXTS), hall.admit()
    async with db.transaction() as tx:
        await attempts.change_alone(tx.conn, "student", who.user_id)
        with pytest.raises(AppError) as refused:
            await hall.start(who, exam)
    assert refused.value.kind is Kind.UNAVAILABLE
    assert (await hall.start(who, exam)).attempt.attempt_no == 1


async def test_two_replicas_that_start_the_same_students_begin_one_attempt_each(
    hall: Hall, db: Database
) -> None:
    exam = str(await hall.exam(TEXTS))
    other = Starter(db, hall.papers, hall.known)
    for _ in range(5):
        people = [hall.admit() for _ in range(20)]

        results = await together(
            [
                *(hall.starter.start(who, exam, "") for who in people),
                *(other.start(who, exam, "") for who in reversed(people)),
            ]
        )

        for first, second in zip(results[:20], reversed(results[20:]), strict=True):
            won, lost = (first, second) if isinstance(first, Sitting) else (second, first)
            assert (told(won), told(lost)) == ("in_progress", "already_started")
            assert lost.extra["student_exam_id"] == str(won.attempt.id)


async def test_each_event_belongs_to_the_trace_of_its_own_request(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS)
    traces: dict[tuple[str, str], str | None] = {}

    async def sits() -> None:
        who = hall.admit()
        with telemetry.span("Start", "server"):
            sitting = await hall.start(who, exam)
            subject = str(sitting.attempt.id)
            traces[subject, start_module.ATTEMPT_STARTED] = telemetry.traceparent()
        with telemetry.span("Submit", "server"):
            await hall.submit(who, sitting.attempt.id)
            traces[subject, close_attempt.ATTEMPT_CLOSED] = telemetry.traceparent()

    await asyncio.gather(*(sits() for _ in range(3)))

    written = await rows(db, "SELECT subject, type, traceparent FROM outbox WHERE type LIKE '%attempt%'")
    assert {(row["subject"], row["type"]): row["traceparent"] for row in written} == traces
    assert len(set(traces.values())) == 6
