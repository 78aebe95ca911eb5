"""What the workers do: closing what nobody submitted, and asking again for grades that did not come."""

import json

import pytest
from exam_service.consumers import ATTEMPT_GRADED, attempt_graded
from exam_service.usecases import close_attempt
from exam_service.usecases.tend_attempts import announce_ungraded, close_overdue, measure
from examkit.clock import utc_now
from examkit.db import Database
from examkit.events import Delivery
from examprotos.grading.v1 import events_pb2
from prometheus_client import REGISTRY

from .builders import rows, write
from .sitting import Hall, outcomes, sent

TEXTS = ("text", "text")


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
    assert {json.loads(answer.shown_json) for answer in event.answers} == {"A", "saved"}
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
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    sittings = [(await hall.sits(exam))[1] for _ in range(3)]
    for sitting in sittings:
        await hall.move_deadline(sitting.attempt.id, -6)
    real = close_attempt.attempt_closed

    def broken(attempt, *rest, **more):  # type: ignore[no-untyped-def]
        if attempt.id == sittings[1].attempt.id:
            raise KeyError("Z")
        return real(attempt, *rest, **more)

    monkeypatch.setattr(close_attempt, "attempt_closed", broken)

    assert await close_overdue(db, hall.papers) == 2

    assert [(await hall.row(sitting.attempt.id))["status"] for sitting in sittings] == [
        "expired",
        "in_progress",
        "expired",
    ]


async def graded(db: Database, attempt: dict[str, object], version: int) -> None:
    message = events_pb2.AttemptGraded(
        student_exam_id=str(attempt["id"]), student_id=str(attempt["student_id"]), attempt_version=version
    )
    delivery = Delivery(
        "1", ATTEMPT_GRADED, str(attempt["id"]), utc_now(), message.SerializeToString(), attempt=1
    )
    async with db.transaction() as tx:
        await attempt_graded(tx, delivery)


async def test_a_closed_attempt_without_a_grade_is_announced_again_less_and_less_often(
    hall: Hall, db: Database
) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await hall.save(who, sitting.attempt.id, sent(sitting.paper.questions[0].question_id, "x"))
    await hall.submit(who, sitting.attempt.id)
    assert await announce_ungraded(db, hall.papers) == 0

    pauses = []
    for _ in range(3):
        await write(db, "UPDATE student_exams SET announce_at = now() - interval '1 second'")
        assert await announce_ungraded(db, hall.papers) == 1
        (row,) = await rows(
            db, "SELECT round(extract(epoch FROM announce_at - now()))::int AS s FROM student_exams"
        )
        pauses.append(row["s"])
        assert await announce_ungraded(db, hall.papers) == 0

    assert [round(pause / 10) * 10 for pause in pauses] == [120, 240, 480]
    first, *others = await hall.closed_events()
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


async def test_nothing_is_announced_again_while_the_broker_is_away(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    await hall.submit(who, sitting.attempt.id)
    await write(db, "UPDATE student_exams SET announce_at = now() - interval '1 second'")
    await write(db, "UPDATE outbox SET written_at = now() - interval '1 minute'")

    assert await announce_ungraded(db, hall.papers) == 0
    await write(db, "DELETE FROM outbox")
    assert await announce_ungraded(db, hall.papers) == 1


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
