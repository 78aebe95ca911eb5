"""Starting, resuming and listing exams."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from exam_service.domain.attempt import Status
from exam_service.domain.deadline import Accommodation
from exam_service.rpc.attempt_conversions import sitting as sitting_message
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.close import close_exam
from exam_service.usecases.list_exams import list_exams
from exam_service.usecases.roster import Roster, set_roster
from examkit.db import Database
from examkit.errors import AppError
from examprotos.exam.v1 import events_pb2
from prometheus_client import REGISTRY

from .builders import draft, events, published, write
from .sitting import Hall, sent

HOUR = timedelta(hours=1)


async def refused(action: Awaitable[Any]) -> AppError:
    with pytest.raises(AppError) as error:
        await action
    return error.value


async def test_a_start_gives_the_attempt_with_its_deadline(hall: Hall, db: Database) -> None:
    exam = await hall.exam(grace_seconds=17)
    who, sitting = await hall.sits(exam)
    attempt = sitting.attempt

    assert attempt.status is Status.IN_PROGRESS
    assert (attempt.attempt_no, attempt.version, attempt.deadline_version) == (1, 1, 1)
    assert attempt.deadline == attempt.started_at + HOUR
    assert attempt.grace_seconds == 17
    assert len(attempt.seed) == 32
    assert abs(attempt.started_at - datetime.now(UTC)) < timedelta(seconds=30)
    (event,) = await events(db, "examhall.exam.attempt.started.v1", events_pb2.AttemptStarted)
    assert event.student_exam_id == str(attempt.id)
    assert event.student_id == str(who.user_id)


async def test_what_is_shown_holds_no_trace_of_the_authored_letters(hall: Hall) -> None:
    """Options are lettered from A on in the order shown; two attempts differ."""
    exam = await hall.exam(["single_choice"] * 6, shuffle_questions=True)
    shown = set()
    for _ in range(4):
        _, sitting = await hall.sits(exam)
        message = sitting_message(sitting)
        for question in message.questions:
            assert [option.id for option in question.options] == ["A", "B", "C", "D"]
        shown.add(tuple((q.id, tuple(o.text for o in q.options)) for q in message.questions))
        assert [question.order for question in message.questions] == list(range(1, 7))
        assert sitting.attempt.seed not in message.SerializeToString()
        for question in sitting.paper.questions:
            assert str(question.version_id).encode() not in message.SerializeToString()

    assert len(shown) == 4


async def test_drafts_and_exams_of_others_are_not_there(hall: Hall, db: Database, admin: Actor) -> None:
    who = hall.admit("physics")
    made = (await draft(db)).exam.id
    for_others = await hall.exam(["text"])
    await set_roster(db, admin, for_others, Roster(False, frozenset({uuid4()}), ("chemistry",)))

    for exam in (made, for_others, uuid4()):
        assert (await refused(hall.start(who, exam))).code == "not_found"

    await set_roster(db, admin, for_others, Roster(False, frozenset(), ("physics",)))
    assert (await hall.start(who, for_others)).attempt.attempt_no == 1
    named = hall.admit()
    await set_roster(db, admin, for_others, Roster(False, frozenset({named.user_id}), ()))
    assert (await hall.start(named, for_others)).attempt.attempt_no == 1


@pytest.mark.parametrize("window", [(HOUR, 2 * HOUR), (-2 * HOUR, -HOUR)])
async def test_outside_of_the_window_nobody_starts(
    hall: Hall, db: Database, window: tuple[timedelta, timedelta], now: datetime
) -> None:
    view = await published(db, start_time=now + window[0], end_time=now + HOUR * 3)
    exam = view.exam.id
    await write(db, "UPDATE exams SET end_time = :e", e=now + window[1])

    error = await refused(hall.start(hall.admit(), exam))

    assert (error.kind.http_status, error.code) == (403, "exam_not_open")
    assert datetime.fromisoformat(error.extra["start_time"]) == now + window[0]
    assert datetime.fromisoformat(error.extra["end_time"]) == now + window[1]


async def test_a_students_own_window_and_time_count(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    exam = await hall.exam(["text"], start_time=now - 3 * HOUR, end_time=now + HOUR / 2)
    await write(db, "UPDATE exams SET end_time = :e", e=now - HOUR)
    helped, plain = hall.admit(), hall.admit()
    granted = Accommodation(50, 0, None, now + HOUR, per_exam=True)
    await put_accommodation(db, admin, helped.user_id, exam, granted)

    sitting = await hall.start(helped, exam)

    assert sitting.attempt.deadline == now + HOUR
    assert sitting.attempt.deadline_reason.startswith("Your own end")
    assert (await refused(hall.start(plain, exam))).code == "exam_not_open"


async def test_a_closed_exam_takes_no_new_starts_and_runs_on(hall: Hall, db: Database, admin: Actor) -> None:
    exam = await hall.exam(["text"])
    who, sitting = await hall.sits(exam)
    await close_exam(db, admin, exam)

    assert (await refused(hall.start(hall.admit(), exam))).code == "exam_not_open"
    assert (await hall.resume(who, exam)).attempt.id == sitting.attempt.id
    question = sitting.paper.questions[0].question_id
    assert (await hall.save(who, sitting.attempt.id, sent(question, "x"))).fault is None


async def test_the_access_code(hall: Hall) -> None:
    exam = await hall.exam(["text"], access_code="Rosenthal-7")
    who = hall.admit()

    for wrong in ("", "rosenthal-7", "Rosenthal-7 ", "é"):
        assert (await refused(hall.start(who, exam, wrong))).code == "access_code_wrong"
    assert (await hall.start(who, exam, "Rosenthal-7")).attempt.attempt_no == 1


async def test_one_attempt_at_a_time_and_only_as_many_as_allowed(
    hall: Hall, db: Database, admin: Actor
) -> None:
    exam = await hall.exam(["text"], max_attempts=2)
    who, first = await hall.sits(exam)

    error = await refused(hall.start(who, exam))
    assert (error.code, error.extra) == ("already_started", {"student_exam_id": str(first.attempt.id)})

    await hall.submit(who, first.attempt.id)
    second = await hall.start(who, exam)
    assert second.attempt.attempt_no == 2
    assert second.attempt.seed != first.attempt.seed
    await hall.submit(who, second.attempt.id)
    assert (await refused(hall.start(who, exam))).code == "attempt_limit"

    await put_accommodation(db, admin, who.user_id, None, Accommodation(0, 1))
    third = await hall.start(who, exam)
    assert third.attempt.attempt_no == 3
    await write(db, "UPDATE student_exams SET status = 'void', closed_at = now() WHERE attempt_no = 3")
    assert (await hall.start(who, exam)).attempt.attempt_no == 4


async def test_an_attempt_past_its_time_makes_room_for_the_next(hall: Hall) -> None:
    exam = await hall.exam(["text"], max_attempts=2)
    who, first = await hall.sits(exam)
    await hall.save(who, first.attempt.id, sent(first.paper.questions[0].question_id, "kept"))
    await hall.move_deadline(first.attempt.id, -1)

    second = await hall.start(who, exam)

    assert second.attempt.attempt_no == 2
    assert (await hall.row(first.attempt.id))["status"] == "expired"
    (event,) = await hall.closed_events(first.attempt.id)
    assert [answer.answer_json for answer in event.answers] == [b'"kept"']


async def test_without_an_attempt_left_the_one_past_its_time_waits_for_the_sweeper(hall: Hall) -> None:
    exam = await hall.exam(["text"])
    who, first = await hall.sits(exam)
    await hall.move_deadline(first.attempt.id, -1)

    assert (await refused(hall.start(who, exam))).code == "attempt_limit"
    assert (await hall.row(first.attempt.id))["status"] == "in_progress"


async def test_of_many_starts_at_once_exactly_one_counts(hall: Hall) -> None:
    exam = await hall.exam(["text"], max_attempts=5)
    who = hall.admit()

    results = await asyncio.gather(*(hall.start(who, exam) for _ in range(8)), return_exceptions=True)

    started = [result for result in results if not isinstance(result, BaseException)]
    lost = [result for result in results if isinstance(result, AppError)]
    assert (len(started), len(lost)) == (1, 7)
    assert {(error.code, error.extra["student_exam_id"]) for error in lost} == {
        ("already_started", str(started[0].attempt.id))
    }


async def test_a_resume_brings_back_everything(hall: Hall) -> None:
    exam = await hall.exam(shuffle_questions=True)
    who, begun = await hall.sits(exam)
    first, second, *_ = begun.paper.questions
    await hall.save(who, begun.attempt.id, sent(first.question_id, "B", 4), sent(second.question_id, None))

    again = await hall.resume(who, exam)

    before, after = sitting_message(begun), sitting_message(again)
    assert after.questions == before.questions
    assert after.clock.deadline == before.clock.deadline
    assert after.clock.time_remaining_seconds < before.clock.time_remaining_seconds <= 3600
    saved = {answer.question_id: answer for answer in after.saved_answers}
    assert saved[str(first.question_id)].answer_json == b'"B"'
    assert saved[str(first.question_id)].revision == 4
    assert saved[str(second.question_id)].answer_json == b"null"
    assert (await hall.row(begun.attempt.id))["resumes"] == 1


async def test_the_time_since_the_last_sign_of_life_is_measured(hall: Hall, db: Database) -> None:
    def figures() -> list[float]:
        name = "examhall_exam_resume_gap_seconds"
        samples = ((f"{name}_count", {}), (f"{name}_sum", {}), (f"{name}_bucket", {"le": "60.0"}))
        return [REGISTRY.get_sample_value(*sample) or 0.0 for sample in samples]

    exam = await hall.exam()
    who, _ = await hall.sits(exam)
    before = figures()
    await hall.resume(who, exam)
    await write(db, "UPDATE student_exams SET last_activity = last_activity - interval '10 minutes'")
    await hall.resume(who, exam)
    count, total, soon = (now - then for now, then in zip(figures(), before, strict=True))
    assert (count, soon) == (2, 1)
    assert 600 <= total < 610
    await hall.resume(who, exam)
    assert figures()[2] == before[2] + 2


async def test_there_is_nothing_to_resume_without_an_attempt_in_progress(hall: Hall, db: Database) -> None:
    exam = await hall.exam(["text"], max_attempts=3)
    other, _ = await hall.sits(exam)
    who = hall.admit()

    assert (await refused(hall.resume(who, exam))).code == "not_found"
    sitting = await hall.start(who, exam)
    await hall.submit(who, sitting.attempt.id)
    assert (await refused(hall.resume(who, exam))).code == "not_found"

    late = await hall.start(who, exam)
    await hall.move_deadline(late.attempt.id, -1)
    error = await refused(hall.resume(who, exam))
    assert (error.kind.http_status, error.code) == (410, "time_limit_exceeded")
    assert error.extra == {"student_exam_id": str(late.attempt.id)}
    await write(db, "UPDATE student_exams SET status = 'expired', closed_at = now() WHERE attempt_no = 2")
    assert (await refused(hall.resume(who, exam))).code == "time_limit_exceeded"

    await write(db, "UPDATE student_exams SET status = 'paused' WHERE student_id = :s", s=other.user_id)
    assert (await refused(hall.resume(other, exam))).code == "attempt_paused"


async def test_my_exams_by_the_clock(hall: Hall, db: Database, admin: Actor, now: datetime) -> None:
    who = hall.admit("physics")
    upcoming = await hall.exam(["text"], start_time=now + HOUR, title="upcoming")
    fresh = await hall.exam(["text"], title="open", access_code="x")
    running = await hall.exam(["text"], title="running", max_attempts=3)
    over = await hall.exam(["text"], title="over")
    done = await hall.exam(["text"], title="done")
    past = await hall.exam(["text"], title="past", start_time=now - 3 * HOUR)
    hidden = await hall.exam(["text"], title="hidden")
    await draft(db, title="draft")
    await set_roster(db, admin, hidden, Roster(False, frozenset(), ("chemistry",)))
    await close_exam(db, admin, past)
    sittings = {exam: await hall.start(who, exam) for exam in (running, over, done)}
    await hall.move_deadline(sittings[over].attempt.id, -1)
    await hall.submit(who, sittings[done].attempt.id)

    page, cursor = await list_exams(db, who, 0, "")

    assert cursor == ""
    found = {listed.exam.id: listed for listed in page}
    assert {listed.exam.title: (listed.phase, listed.status) for listed in page} == {
        "upcoming": ("upcoming", None),
        "open": ("open", None),
        "running": ("open", Status.IN_PROGRESS),
        "over": ("open", Status.EXPIRED),
        "done": ("open", Status.SUBMITTED),
        "past": ("past", None),
    }
    assert found[fresh].exam.access_code_needed
    assert found[upcoming].window.start == now + HOUR
    remaining = found[running].remaining_seconds
    assert remaining is not None
    assert 3500 < remaining <= 3600
    assert found[running].exam.latest_id == sittings[running].attempt.id
    assert (found[running].exam.attempts_used, found[running].max_attempts) == (1, 3)
    assert found[over].remaining_seconds is None


async def test_my_exams_come_in_pages_that_miss_nothing(hall: Hall, db: Database, now: datetime) -> None:
    who = hall.admit()
    made = {await hall.exam(["text"], start_time=now - HOUR) for _ in range(5)}
    seen: list[UUID] = []
    cursor = ""
    while True:
        page, cursor = await list_exams(db, who, 2, cursor)
        seen += [listed.exam.id for listed in page]
        if not cursor:
            break

    assert sorted(seen) == sorted(made)
    assert len(seen) == 5
    for wrong in ("nonsense", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieCJd"):
        assert (await refused(list_exams(db, who, 2, wrong))).code == "invalid"


async def test_a_void_attempt_counts_toward_nothing(hall: Hall, db: Database) -> None:
    exam = await hall.exam(["text"])
    who, _ = await hall.sits(exam)
    await write(db, "UPDATE student_exams SET status = 'void', closed_at = now()")

    (listed,), _ = await list_exams(db, who, 0, "")

    assert (listed.status, listed.exam.attempts_used, listed.exam.latest_id) == (None, 0, None)
    assert (await refused(hall.resume(who, exam))).code == "not_found"
    assert (await hall.start(who, exam)).attempt.attempt_no == 2
