"""Accommodations and changed windows: in force at once, in attempts under way too."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from exam_service.domain.deadline import Accommodation
from exam_service.repository import exams
from exam_service.usecases.accommodations import (
    delete_accommodation,
    get_accommodation,
    put_accommodation,
)
from exam_service.usecases.actor import Actor
from exam_service.usecases.exams import update_exam
from exam_service.usecases.roster import Roster, set_roster
from exam_service.usecases.window_warnings import window_warnings
from examkit.db import Database
from examkit.errors import AppError
from examprotos.exam.v1 import events_pb2

from .builders import events, rows, write
from .sitting import Hall, outcomes, sent

HOUR = timedelta(hours=1)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


async def minutes(hall: Hall, attempt: Any) -> float:
    row = await hall.row(attempt)
    return float((row["deadline"] - row["started_at"]).total_seconds() / 60)


async def test_extra_time_moves_the_deadline_of_a_running_attempt(
    hall: Hall, db: Database, admin: Actor
) -> None:
    exam = await hall.exam(["text"])
    who, sitting = await hall.sits(exam)
    _, theirs = await hall.sits(exam)
    attempt, question = sitting.attempt.id, sitting.paper.questions[0].question_id

    await put_accommodation(db, admin, who.user_id, None, Accommodation(50))
    assert await minutes(hall, attempt) == 90
    result = await hall.save(who, attempt, sent(question, "x"))
    assert result.clock is not None
    assert result.clock.deadline_version == 2
    assert "50 % extra time (granted to you for all exams)" in result.clock.deadline_reason

    await put_accommodation(db, admin, who.user_id, exam, Accommodation(100, per_exam=True))
    assert await minutes(hall, attempt) == 120
    # The exam's goes before the person's as a whole, also where it grants less.
    await put_accommodation(db, admin, who.user_id, exam, Accommodation(0, 1, per_exam=True))
    assert await minutes(hall, attempt) == 60
    await delete_accommodation(db, admin, who.user_id, exam)
    assert await minutes(hall, attempt) == 90
    await delete_accommodation(db, admin, who.user_id, None)
    assert await minutes(hall, attempt) == 60
    assert (await hall.row(attempt))["deadline_version"] == 6
    assert (await hall.row(theirs.attempt.id))["deadline_version"] == 1


async def test_time_that_was_up_goes_on_when_more_is_granted(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    exam = await hall.exam(["text"], end_time=now + HOUR)
    who, sitting = await hall.sits(exam)
    question = sitting.paper.questions[0].question_id
    await put_accommodation(db, admin, who.user_id, exam, Accommodation(end_time=now - HOUR, per_exam=True))
    late = await hall.save(who, sitting.attempt.id, sent(question, "x"))
    assert late.fault is not None

    await put_accommodation(
        db, admin, who.user_id, exam, Accommodation(end_time=now + HOUR / 2, per_exam=True)
    )

    assert outcomes(await hall.save(who, sitting.attempt.id, sent(question, "x"))) == ["stored"]
    assert (await hall.row(sitting.attempt.id))["deadline"] == now + HOUR / 2


async def test_closed_attempts_keep_their_deadline(hall: Hall, db: Database, admin: Actor) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    await hall.submit(who, sitting.attempt.id)

    await put_accommodation(db, admin, who.user_id, None, Accommodation(50))

    assert await minutes(hall, sitting.attempt.id) == 60


async def test_setting_the_same_again_moves_nothing(hall: Hall, db: Database, admin: Actor) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    for _ in range(2):
        await put_accommodation(db, admin, who.user_id, None, Accommodation(50))

    assert (await hall.row(sitting.attempt.id))["deadline_version"] == 2
    (found,) = await rows(db, "SELECT count(*) AS n FROM accommodations")
    assert found["n"] == 1


async def test_every_change_is_audited_with_what_it_moved(hall: Hall, db: Database, admin: Actor) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    await put_accommodation(db, admin, who.user_id, None, Accommodation(50, 2))
    await delete_accommodation(db, admin, who.user_id, None)

    given, taken = await rows(db, "SELECT * FROM audit WHERE object_type = 'accommodation' ORDER BY at, id")
    assert (given["action"], taken["action"]) == ("accommodation.set", "accommodation.deleted")
    assert given["actor_id"] == admin.id
    assert given["before"] is None
    assert given["after"]["extra_time_percent"] == 50
    assert given["after"]["deadlines"][0]["student_exam_id"] == str(sitting.attempt.id)
    assert taken["before"]["extra_attempts"] == 2
    assert taken["after"]["deadlines"][0]["to"] == given["after"]["deadlines"][0]["from"]


async def test_grading_hears_of_a_later_last_end(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    exam = await hall.exam(["text"], end_time=now + HOUR, grace_seconds=30)
    who = hall.admit()
    before = await events(db, "examhall.exam.exam.changed.v1", events_pb2.ExamChanged)

    await put_accommodation(db, admin, who.user_id, None, Accommodation(100))

    after = await events(db, "examhall.exam.exam.changed.v1", events_pb2.ExamChanged)
    assert len(after) == len(before) + 1
    assert after[-1].exam_id == str(exam)
    ends = after[-1].last_possible_end.ToDatetime(UTC)
    assert ends == now + 2 * HOUR + timedelta(seconds=30)


async def ended_at(db: Database, exam: UUID, end: datetime) -> None:
    """Move the end of an exam as time does: nobody is told of it."""
    await write(db, "UPDATE exams SET end_time = :end WHERE id = :id", end=end, id=exam)


async def test_exams_that_are_over_and_ends_that_stay_are_left_alone(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    over, late, soon, taken = [
        await hall.exam(["text"], end_time=now + HOUR, grace_seconds=30) for _ in range(4)
    ]
    endless = await hall.exam(["text"])
    who, sitting = await hall.sits(taken)
    # Over for good; over, but not with four times the hour on top; over, but for this student's attempt.
    await ended_at(db, over, now - 4 * HOUR - timedelta(minutes=2))
    await ended_at(db, late, now - 4 * HOUR + timedelta(minutes=2))
    await ended_at(db, taken, now - 9 * HOUR)
    other = hall.admit()
    await put_accommodation(db, admin, other.user_id, soon, Accommodation(400, per_exam=True))
    before = await versions(db)

    # Whoever works on an exam that is over does not keep the accommodation waiting.
    async with db.transaction() as tx:
        await exams.get_exam(tx.conn, over, lock="update")
        await put_accommodation(db, admin, who.user_id, None, Accommodation(400))

    after = await versions(db)
    # Of `soon` the end stays, since another student's is as late.
    assert {exam for exam in after if after[exam] != before[exam]} == {late, taken}
    assert endless in after
    assert (await hall.row(sitting.attempt.id))["deadline_version"] == 2


async def test_an_own_end_reaches_exams_that_are_over(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    exam = await hall.exam(["text"], end_time=now + HOUR)
    await ended_at(db, exam, now - 1000 * HOUR)
    who = hall.admit()

    await put_accommodation(db, admin, who.user_id, None, Accommodation(end_time=now + HOUR))
    heard = await events(db, "examhall.exam.exam.changed.v1", events_pb2.ExamChanged)
    assert heard[-1].last_possible_end.ToDatetime(UTC) == now + HOUR + timedelta(seconds=30)

    # Taken back it is over again, and that is told too.
    await delete_accommodation(db, admin, who.user_id, None)
    heard = await events(db, "examhall.exam.exam.changed.v1", events_pb2.ExamChanged)
    assert heard[-1].last_possible_end.ToDatetime(UTC) == now - 1000 * HOUR + timedelta(seconds=30)


async def versions(db: Database) -> dict[UUID, int]:
    return {row["id"]: row["version"] for row in await rows(db, "SELECT id, version FROM exams")}


@pytest.mark.parametrize(
    ("granted", "place"),
    [
        (Accommodation(401), "extra_time_percent"),
        (Accommodation(-1), "extra_time_percent"),
        (Accommodation(0, 11), "extra_attempts"),
        (Accommodation(0, -1), "extra_attempts"),
        (Accommodation(0, 0, NEW_YEAR, NEW_YEAR), "end_time"),
        (Accommodation(0, 0, datetime(1, 1, 1, tzinfo=UTC)), "start_time"),
        (Accommodation(0, 0, None, datetime(9999, 1, 1, tzinfo=UTC)), "end_time"),
    ],
)
async def test_wrong_values_are_located(
    db: Database, admin: Actor, granted: Accommodation, place: str
) -> None:
    with pytest.raises(AppError) as error:
        await put_accommodation(db, admin, uuid4(), None, granted)

    assert error.value.code == "invalid"
    assert [field.loc for field in error.value.errors] == [(place,)]


async def test_what_is_not_there_is_not_found(db: Database, admin: Actor) -> None:
    student = uuid4()
    for action in (
        get_accommodation(db, student, None),
        delete_accommodation(db, admin, student, None),
        put_accommodation(db, admin, student, uuid4(), Accommodation(10, per_exam=True)),
    ):
        with pytest.raises(AppError, match="not_found"):
            await action
    await put_accommodation(db, admin, student, None, Accommodation(10))
    assert (await get_accommodation(db, student, None)).granted == Accommodation(10)


async def test_a_changed_window_moves_the_attempts_under_way(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    exam = await hall.exam(["text"], end_time=now + 5 * HOUR)
    helped = hall.admit()
    await put_accommodation(db, admin, helped.user_id, None, Accommodation(50))
    plain, sitting = await hall.sits(exam)
    theirs = await hall.start(helped, exam)

    await update_exam(db, admin, exam, {"end_time": now + HOUR / 2})

    row = await hall.row(sitting.attempt.id)
    assert (row["deadline"], row["deadline_version"]) == (now + HOUR / 2, 2)
    assert row["deadline_reason"] == "The end of the exam."
    assert (await hall.row(theirs.attempt.id))["deadline"] == now + HOUR
    await update_exam(db, admin, exam, {"end_time": None})
    assert await minutes(hall, sitting.attempt.id) == 60
    assert await minutes(hall, theirs.attempt.id) == 90
    assert plain.user_id != helped.user_id


async def test_windows_that_are_too_short_are_told(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    named, other, helped = hall.admit(), hall.admit(), hall.admit()
    exam = await hall.exam(["text"], start_time=now + HOUR, end_time=now + 3 * HOUR)
    assert await window_warnings(db, exam) == []
    # Extra time moves the end, so that it always fits; a window of one's own does not.
    await put_accommodation(db, admin, helped.user_id, None, Accommodation(400))
    short = Accommodation(100, end_time=now + 2 * HOUR)
    for who in (named, other):
        await put_accommodation(db, admin, who.user_id, None, short)
    await put_accommodation(db, admin, other.user_id, exam, Accommodation(0, per_exam=True))

    (warning,) = await window_warnings(db, exam)

    assert (warning.student_id, warning.needed, warning.available) == (named.user_id, 2 * HOUR, HOUR)
    await set_roster(db, admin, exam, Roster(False, frozenset({other.user_id})))
    assert await window_warnings(db, exam) == []
    # And where it is too short for everybody.
    await update_exam(db, admin, exam, {"end_time": now + HOUR * 1.5})
    (all_of_them,) = await window_warnings(db, exam)
    assert (all_of_them.student_id, all_of_them.needed, all_of_them.available) == (None, HOUR, HOUR / 2)
    with pytest.raises(AppError, match="not_found"):
        await window_warnings(db, uuid4())
