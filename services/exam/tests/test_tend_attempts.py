"""What the workers do: closing what nobody submitted, and asking again for grades that did not come."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from exam_service import reconciler as reconciler_module
from exam_service.consumers import ATTEMPT_GRADED, attempts_graded
from exam_service.domain.attempt import Attempt
from exam_service.domain.paper import Paper
from exam_service.sweeper import sweeper
from exam_service.usecases import close_attempt
from exam_service.usecases.tend_attempts import BATCH, Aside, announce_ungraded, close_overdue, measure
from examkit.clock import utc_now
from examkit.db import Database, DatabaseAway
from examkit.errors import not_found
from examkit.events import Delivery
from examkit.testing import eventually
from examprotos.grading.v1 import events_pb2
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from .builders import rows, write
from .sitting import Hall, outcomes, sent

TEXTS = ("text", "text")


@pytest.fixture
def unclosable(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """Attempts of which no event can be made."""
    broken: set[UUID] = set()
    real = close_attempt.attempt_closed

    def breaks(attempt: Attempt, *rest: Any, **more: Any) -> Any:
        if attempt.id in broken:
            raise KeyError("Z")
        return real(attempt, *rest, **more)

    monkeypatch.setattr(close_attempt, "attempt_closed", breaks)
    return broken


async def test_what_nobody_submitted_is_closed_with_what_was_saved(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(["single_choice", "text"], grace_seconds=10))
    choice, text = (question.question_id for question in sitting.paper.questions)
    await hall.save(who, sitting.attempt.id, sent(choice, "A"), sent(text, "saved"))
    await hall.move_deadline(sitting.attempt.id, -16)

    assert await close_overdue(db, hall.papers) == 1

    row = await hall.row(sitting.attempt.id)
    assert (row["status"], row["close_reason"], row["version"]) == ("expired", "time_up", 2)
    (event,) = await hall.closed_events()
    assert event.status == "expired"
    assert {json.loads(answer.shown_json or answer.answer_json) for answer in event.answers} == {"A", "saved"}
    assert await close_overdue(db, hall.papers) == 0


@pytest.mark.parametrize(("seconds", "due"), [(-14, 0), (-16, 1), (5, 0)])
async def test_it_leaves_the_grace_and_those_on_their_way(
    hall: Hall, db: Database, seconds: int, due: int
) -> None:
    _, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=10))
    await hall.move_deadline(sitting.attempt.id, seconds)

    assert await close_overdue(db, hall.papers) == due


async def test_paused_and_void_attempts_are_left_alone(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS)
    for status in ("paused", "void"):
        _, sitting = await hall.sits(exam)
        await hall.move_deadline(sitting.attempt.id, -1000)
        await write(
            db,
            "UPDATE student_exams SET status = :s, closed_at = CASE WHEN :s = 'void' THEN now() END"
            " WHERE id = :id",
            s=status,
            id=sitting.attempt.id,
        )

    assert await close_overdue(db, hall.papers) == 0


async def test_many_are_closed_in_batches(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    for _ in range(7):
        _, sitting = await hall.sits(exam)
        await hall.move_deadline(sitting.attempt.id, -6)

    assert [await close_overdue(db, hall.papers, batch=3) for _ in range(4)] == [3, 3, 1, 0]
    assert len(await hall.closed_events()) == 7


async def test_one_that_cannot_be_closed_keeps_no_other_open(
    hall: Hall, db: Database, unclosable: set[UUID]
) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    sittings = [(await hall.sits(exam))[1] for _ in range(3)]
    for sitting in sittings:
        await hall.move_deadline(sitting.attempt.id, -6)
    unclosable.add(sittings[1].attempt.id)

    assert await close_overdue(db, hall.papers) == 2

    assert [(await hall.row(sitting.attempt.id))["status"] for sitting in sittings] == [
        "expired",
        "in_progress",
        "expired",
    ]


async def test_a_whole_batch_that_cannot_be_closed_keeps_no_other_open(
    hall: Hall, db: Database, unclosable: set[UUID]
) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    everybody = await asyncio.gather(*(hall.sits(exam) for _ in range(BATCH + 3)))
    attempts = [sitting.attempt.id for _, sitting in everybody]
    unclosable |= set(attempts[:BATCH])
    await write(
        db,
        "UPDATE student_exams SET deadline = now() - make_interval(secs => CASE"
        " WHEN id = ANY (CAST(:broken AS uuid[])) THEN 60 ELSE 10 END)",
        broken=list(unclosable),
    )

    async def others_are_closed() -> bool:
        return len(await hall.closed_events()) == 3

    # Not a hundred tracebacks on the terminal.
    with capture_logs() as logged:
        sweeping = asyncio.create_task(sweeper(db, hall.papers).run())
        try:
            await eventually(others_are_closed, timeout=30)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
    assert [line["event"] for line in logged].count("attempt_not_closed") == BATCH
    closed = await rows(db, "SELECT id FROM student_exams WHERE status = 'expired'")
    assert {row["id"] for row in closed} == set(attempts[BATCH:])


async def test_what_cannot_be_closed_is_tried_again_less_and_less_often(
    hall: Hall, db: Database, unclosable: set[UUID]
) -> None:
    _, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=0))
    await hall.move_deadline(sitting.attempt.id, -6)
    unclosable.add(sitting.attempt.id)
    now = 0.0
    aside = Aside(clock=lambda: now)
    tries = []
    for second in range(0, 160, 10):
        now = float(second)
        resting = sitting.attempt.id in aside.attempts.resting(now)
        assert await close_overdue(db, hall.papers, aside=aside) == 0
        tries += [] if resting else [second]
    assert tries == [0, 10, 30, 70, 150]

    unclosable.clear()
    now = 1000.0
    assert await close_overdue(db, hall.papers, aside=aside) == 1


@pytest.mark.parametrize("failure", [not_found("There is no such exam."), KeyError("text")])
async def test_an_exam_whose_paper_can_not_be_read_keeps_no_other_open(
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    lost, fine = await hall.exam(TEXTS, grace_seconds=0), await hall.exam(TEXTS, grace_seconds=0)
    sittings = {exam: (await hall.sits(exam))[1].attempt.id for exam in (lost, fine)}
    for attempt in sittings.values():
        await hall.move_deadline(attempt, -6)
    lose(hall, monkeypatch, lost, failure)

    assert await close_overdue(db, hall.papers) == 1

    assert (await hall.row(sittings[fine]))["status"] == "expired"
    assert (await hall.row(sittings[lost]))["status"] == "in_progress"


def lose(hall: Hall, monkeypatch: pytest.MonkeyPatch, lost: UUID, failure: Exception) -> None:
    """Have the paper of this exam unreadable."""
    read = hall.papers.get

    async def get(exam_id: UUID) -> Paper:
        if exam_id == lost:
            raise failure
        return await read(exam_id)

    monkeypatch.setattr(hall.papers, "get", get)


async def test_a_database_that_is_away_is_no_fault_of_an_attempt(
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, sitting = await hall.sits(await hall.exam(TEXTS, grace_seconds=0))
    await hall.move_deadline(sitting.attempt.id, -6)
    lose(hall, monkeypatch, sitting.attempt.exam_id, DatabaseAway())
    aside = Aside()

    with pytest.raises(DatabaseAway):
        await close_overdue(db, hall.papers, aside=aside)

    assert aside.exams.resting(aside.clock()) == frozenset()


@pytest.mark.parametrize("fault", ["attempt", "paper"])
async def test_one_that_can_not_be_announced_keeps_no_other_from_it(
    hall: Hall, db: Database, unclosable: set[UUID], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    closed = []
    for _ in range(3):
        who, sitting = await hall.sits(await hall.exam(TEXTS))
        await hall.submit(who, sitting.attempt.id)
        closed.append(sitting.attempt)
    await write(db, "DELETE FROM outbox")
    await write(db, "UPDATE student_exams SET announce_at = now() - interval '1 second'")
    if fault == "attempt":
        unclosable.add(closed[0].id)
    else:
        lose(hall, monkeypatch, closed[0].exam_id, KeyError("text"))

    assert await announce_ungraded(db, hall.papers) == 2

    sent = {event.student_exam_id for event in await hall.closed_events()}
    assert sent == {str(attempt.id) for attempt in closed[1:]}
    # It waits as long as the others until it is tried again.
    (row,) = await rows(db, "SELECT count(*) AS put_off FROM student_exams WHERE announce_at > now()")
    assert row["put_off"] == 3


async def graded(db: Database, attempt: dict[str, object], version: int) -> None:
    message = events_pb2.AttemptGraded(
        student_exam_id=str(attempt["id"]), student_id=str(attempt["student_id"]), attempt_version=version
    )
    delivery = Delivery(
        "1", ATTEMPT_GRADED, str(attempt["id"]), utc_now(), message.SerializeToString(), attempt=1
    )
    async with db.transaction() as tx:
        await attempts_graded(tx, [delivery])


async def test_a_closed_attempt_without_a_grade_is_announced_again_less_and_less_often(
    hall: Hall, db: Database
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await hall.save(who, sitting.attempt.id, sent(sitting.paper.questions[0].question_id, "x"))
    await hall.submit(who, sitting.attempt.id)
    assert await announce_ungraded(db, hall.papers) == 0

    pauses, told = [], []
    for _ in range(3):
        told += await hall.closed_events()
        await write(db, "DELETE FROM outbox")
        await write(db, "UPDATE student_exams SET announce_at = now() - interval '1 second'")
        assert await announce_ungraded(db, hall.papers) == 1
        (row,) = await rows(
            db, "SELECT round(extract(epoch FROM announce_at - now()))::int AS s FROM student_exams"
        )
        pauses.append(row["s"])
        assert await announce_ungraded(db, hall.papers) == 0

    assert [round(pause / 10) * 10 for pause in pauses] == [120, 240, 480]
    first, *others = [*told, *await hall.closed_events()]
    assert len(others) == 3
    assert all(event == first for event in others)


async def test_a_grade_ends_it_and_only_that_of_this_version(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await hall.submit(who, sitting.attempt.id)
    row = await hall.row(sitting.attempt.id)

    await graded(db, row, 1)
    assert (await hall.row(sitting.attempt.id))["announce_at"] is not None
    await graded(db, row, 2)
    assert (await hall.row(sitting.attempt.id))["announce_at"] is None
    await graded(db, row, 1)
    assert (await hall.row(sitting.attempt.id))["graded_version"] == 2
    await graded(db, row | {"student_id": row["id"]}, 9)
    assert (await hall.row(sitting.attempt.id))["graded_version"] == 2


async def test_what_still_lies_in_the_outbox_is_not_announced_again(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS)
    for _ in range(2):
        who, sitting = await hall.sits(exam)
        await hall.submit(who, sitting.attempt.id)
    await write(db, "UPDATE student_exams SET announce_at = now() - interval '1 second'")
    lying, gone = sitting.attempt.id, "subject <> :lying AND type LIKE '%.attempt.closed.%'"
    await write(db, f"DELETE FROM outbox WHERE {gone}", lying=str(lying))

    assert await announce_ungraded(db, hall.papers) == 1
    assert len(await hall.closed_events(lying)) == 1
    await write(db, "DELETE FROM outbox")
    assert await announce_ungraded(db, hall.papers) == 1
    assert len(await hall.closed_events(lying)) == 1


async def test_the_reconciler_goes_on_while_batches_are_full(
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = await hall.exam(TEXTS)
    for _ in range(3):
        who, sitting = await hall.sits(exam)
        await hall.submit(who, sitting.attempt.id)
    await write(db, "DELETE FROM outbox")
    await write(db, "UPDATE student_exams SET announce_at = now() - interval '1 second'")
    monkeypatch.setattr(reconciler_module, "EVERY_SECONDS", 3600)

    async def all_are_told() -> bool:
        return len(await hall.closed_events()) == 3

    reconciling = asyncio.create_task(reconciler_module.reconciler(db, hall.papers, batch=1).run())
    try:
        await eventually(all_are_told)
    finally:
        reconciling.cancel()
        await asyncio.gather(reconciling, return_exceptions=True)


async def test_the_gauges(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    for _ in range(3):
        _, sitting = await hall.sits(exam)
    await hall.move_deadline(sitting.attempt.id, -65)

    await measure(db)

    assert REGISTRY.get_sample_value("examhall_exam_active_attempts") == 3
    lag = REGISTRY.get_sample_value("examhall_exam_sweeper_lag_seconds")
    assert lag is not None
    assert 60 <= lag < 70


async def test_closed_attempts_without_a_grade_are_measured(hall: Hall, db: Database) -> None:
    def gauges() -> tuple[float | None, float]:
        oldest = REGISTRY.get_sample_value("examhall_exam_oldest_ungraded_seconds") or 0.0
        return REGISTRY.get_sample_value("examhall_exam_ungraded_attempts"), oldest

    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await measure(db)
    assert gauges() == (0, 0)
    await hall.submit(who, sitting.attempt.id)
    await write(db, "UPDATE student_exams SET closed_at = closed_at - interval '90 seconds'")
    await measure(db)
    count, oldest = gauges()
    assert count == 1
    assert 90 <= oldest < 100
    await write(db, "UPDATE student_exams SET announce_at = NULL")
    await measure(db)
    assert gauges() == (0, 0)


async def test_how_long_attempts_took_is_counted_by_what_they_became(hall: Hall, db: Database) -> None:
    def total(status: str) -> float:
        name = "examhall_exam_attempt_duration_seconds_sum"
        return REGISTRY.get_sample_value(name, {"status": status}) or 0.0

    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await write(db, "UPDATE student_exams SET started_at = started_at - interval '20 minutes'")
    before = {status: total(status) for status in ("submitted", "expired")}
    await hall.submit(who, sitting.attempt.id)
    assert 1200 <= total("submitted") - before["submitted"] < 1210
    assert total("expired") == before["expired"]


async def test_outcomes_are_counted(hall: Hall) -> None:
    def count(outcome: str) -> float:
        return REGISTRY.get_sample_value("examhall_exam_saves_total", {"outcome": outcome}) or 0.0

    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id
    before = {outcome: count(outcome) for outcome in ("stored", "repeat", "rejected")}

    result = await hall.save(
        who, sitting.attempt.id, sent(question, "x", 1), sent(question, "x", 1), sent(question, 5)
    )

    assert outcomes(result) == ["stored", "repeat", "rejected"]
    assert {outcome: count(outcome) - was for outcome, was in before.items()} == dict.fromkeys(before, 1.0)
