"""Staff extend, pause, void and reopen attempts: what students, the sweeper and grading make of it then."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from exam_service.domain.attempt import Status
from exam_service.domain.deadline import Accommodation
from exam_service.domain.intervening import Action, Order
from exam_service.repository import attempts
from exam_service.repository.attempt_lists import Summary
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.announce_all import announce_all
from exam_service.usecases.exam_end import is_over
from exam_service.usecases.exams import update_exam
from exam_service.usecases.explain_attempt import explain_attempt
from exam_service.usecases.intervene import ATTEMPT_REOPENED, ATTEMPT_VOIDED, Intervention, intervene
from exam_service.usecases.list_exams import list_exams
from exam_service.usecases.submit import get_submission
from exam_service.usecases.tend_attempts import announce_ungraded, close_overdue
from examkit.db import Database
from examkit.errors import AppError
from examkit.principal import Principal
from examkit.testing import eventually
from examprotos.exam.v1 import events_pb2

from .builders import events, rows, write
from .sitting import Hall, outcomes, sent

Intervene = Callable[..., Awaitable[Summary]]


@pytest.fixture
def act(hall: Hall, db: Database, admin: Actor) -> Intervene:
    async def do(
        action: Action, attempt: UUID | str, minutes: int | None = None, reason: str = "fire alarm"
    ) -> Summary:
        wanted = Intervention(admin, Order(action, minutes), reason)
        return await intervene(db, hall.papers, str(attempt), wanted)

    return do


async def begun(hall: Hall, **changes: Any) -> tuple[Principal, UUID, UUID]:
    """A student who sits an exam of two texts, the attempt and its first question."""
    who, sitting = await hall.sits(await hall.exam(["text", "text"], **changes))
    return who, sitting.attempt.id, sitting.paper.questions[0].question_id


async def graded(db: Database, attempt: UUID) -> None:
    await write(
        db,
        "UPDATE student_exams SET graded_version = version, announce_at = NULL WHERE id = :id",
        id=attempt,
    )


async def test_more_time_is_in_the_next_ack(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, question = await begun(hall)
    before = (await hall.row(attempt))["deadline"]

    found = await act(Action.EXTENDED, attempt, 10)

    assert (found.attempt.deadline - before).total_seconds() == 600
    result = await hall.save(who, attempt, sent(question, "x"))
    assert result.clock is not None
    assert (result.clock.deadline, result.clock.deadline_version) == (found.attempt.deadline, 2)
    (entry,) = await rows(db, "SELECT * FROM audit WHERE action = 'attempt.extended'")
    assert (entry["object_id"], entry["reason"]) == (str(attempt), "fire alarm")
    assert (entry["before"]["granted_minutes"], entry["after"]["granted_minutes"]) == (0, 10)
    (kept,) = await rows(db, "SELECT * FROM attempt_history")
    assert (kept["action"], kept["reason"], kept["actor_id"]) == ("extended", "fire alarm", entry["actor_id"])


@pytest.mark.parametrize(
    ("order", "reason", "place"),
    [
        (Order(Action.EXTENDED, 5), " \n", "reason"),
        (Order(Action.VOIDED), "", "reason"),
        (Order(Action.PAUSED), "x" * 1001, "reason"),
        (Order(Action.EXTENDED, 0), "because", "minutes"),
        (Order(Action.EXTENDED, -5), "because", "minutes"),
        (Order(Action.EXTENDED, 1441), "because", "minutes"),
        (Order(Action.REOPENED, 0), "because", "minutes"),
    ],
)
async def test_what_is_wrong_is_located(
    hall: Hall, act: Intervene, order: Order, reason: str, place: str
) -> None:
    _, attempt, _ = await begun(hall)
    with pytest.raises(AppError) as error:
        await act(order.action, attempt, order.minutes, reason)
    assert [field.loc for field in error.value.errors] == [(place,)]
    assert (await hall.row(attempt))["version"] == 1


async def test_what_is_not_there_is_not_found(act: Intervene) -> None:
    for attempt in ("nonsense", UUID(int=7)):
        with pytest.raises(AppError, match="not_found"):
            await act(Action.VOIDED, attempt)


async def test_one_that_expired_a_moment_ago_is_to_be_reopened(hall: Hall, act: Intervene) -> None:
    who, attempt, question = await begun(hall)
    await hall.save(who, attempt, sent(question, "kept"))
    await hall.move_deadline(attempt, -1)

    for action in (Action.EXTENDED, Action.PAUSED):
        with pytest.raises(AppError, match="Reopen it") as error:
            await act(action, attempt, 5)
        assert (error.value.code, error.value.extra["attempt_status"]) == ("attempt_expired", "expired")
    with pytest.raises(AppError) as error:
        await act(Action.REOPENED, attempt)
    assert [field.loc for field in error.value.errors] == [("minutes",)]

    again = await act(Action.REOPENED, attempt, 10)

    # It was closed in passing, and has a version of each.
    assert (again.attempt.version, again.status.value) == (3, "in_progress")
    assert [event.attempt_version for event in await hall.closed_events(attempt)] == [2]
    resumed = await hall.resume(who, again.attempt.exam_id)
    assert [answer.answer for answer in resumed.answers] == ["kept"]
    assert 590 < resumed.attempt.remaining_seconds(resumed.server_time) <= 600


async def test_a_pause_stops_the_clock(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, question = await begun(hall)
    exam = (await hall.row(attempt))["exam_id"]
    await act(Action.PAUSED, attempt)
    await write(db, "UPDATE student_exams SET paused_at = paused_at - interval '2 hours'")

    saved = await hall.save(who, attempt, sent(question, "x"))
    assert saved.fault is not None
    assert saved.fault.code == "attempt_paused"
    for call in (hall.resume(who, exam), hall.submit(who, attempt)):
        with pytest.raises(AppError, match="attempt_paused"):
            await call
    (listed,) = (await list_exams(db, who, 10, ""))[0]
    assert (listed.status, listed.phase) == ("paused", "open")
    assert await close_overdue(db, hall.papers) == 0

    before = await hall.row(attempt)
    after = await act(Action.RESUMED, attempt)

    pause = after.attempt.deadline - before["deadline"]
    assert 7200 <= pause.total_seconds() < 7260
    assert "moved it by +2:00" in after.attempt.deadline_reason
    assert outcomes(await hall.save(who, attempt, sent(question, "x"))) == ["stored"]
    # A rule that changes leaves what the pause gave.
    await put_accommodation(db, Actor("x"), who.user_id, None, Accommodation(50))
    assert ((await hall.row(attempt))["deadline"] - after.attempt.deadline).total_seconds() == 1800


async def test_an_exam_with_a_paused_attempt_is_not_over(
    hall: Hall, db: Database, admin: Actor, act: Intervene
) -> None:
    _, attempt, _ = await begun(hall)
    exam = (await hall.row(attempt))["exam_id"]
    await act(Action.PAUSED, attempt)
    await write(
        db, "UPDATE exams SET start_time = now() - interval '9 hours', end_time = now() - interval '1 hour'"
    )
    await hall.move_deadline(attempt, -3600)

    assert not await is_over(db, exam)
    await act(Action.VOIDED, attempt)
    assert await is_over(db, exam)


async def test_a_void_attempt_counts_nowhere(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, question = await begun(hall)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.save(who, attempt, sent(question, "mine"))
    await hall.submit(who, attempt)

    found = await act(Action.VOIDED, attempt)

    assert (found.status.value, found.attempt.version) == ("void", 3)
    saved = await hall.save(who, attempt, sent(question, "x"))
    assert saved.fault is not None
    assert saved.fault.code == "attempt_void"
    with pytest.raises(AppError, match="attempt_void"):
        await hall.submit(who, attempt)
    with pytest.raises(AppError, match="not_found"):
        await get_submission(db, hall.papers, who, str(attempt))
    (listed,) = (await list_exams(db, who, 10, ""))[0]
    assert (listed.status, listed.exam.attempts_used) == (None, 0)
    (event,) = await events(db, ATTEMPT_VOIDED, events_pb2.AttemptVoided)
    assert (event.student_exam_id, event.attempt_version) == (str(attempt), 3)
    # No grade is waited for, and the next attempt may begin.
    assert (await hall.row(attempt))["announce_at"] is None
    await write(db, "UPDATE student_exams SET announce_at = announce_at - interval '1 hour'")
    assert await announce_ungraded(db, hall.papers) == 0
    assert (await hall.start(who, exam)).attempt.attempt_no == 2
    with pytest.raises(AppError) as error:
        await act(Action.REOPENED, attempt)
    assert error.value.code == "already_started"


async def test_a_reopened_attempt_goes_on_with_all_its_answers(
    hall: Hall, db: Database, act: Intervene
) -> None:
    who, attempt, question = await begun(hall)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.save(who, attempt, sent(question, "first", 3))
    first = await hall.submit(who, attempt)
    await graded(db, attempt)
    closed = await hall.row(attempt)

    again = await act(Action.REOPENED, attempt)

    assert (again.status.value, again.attempt.version, again.attempt.deadline_version) == (
        "in_progress",
        3,
        2,
    )
    left = (closed["deadline"] - closed["closed_at"]).total_seconds()
    assert left - 5 < again.attempt.remaining_seconds(again.now) <= left
    with pytest.raises(AppError, match="not_found"):
        await get_submission(db, hall.papers, who, str(attempt))
    resumed = await hall.resume(who, exam)
    assert [(answer.answer, answer.revision) for answer in resumed.answers] == [("first", 3)]
    assert outcomes(await hall.save(who, attempt, sent(question, "second", 4))) == ["stored"]

    second = await hall.submit(who, attempt)

    assert (first.attempt.version, second.attempt.version) == (2, 4)
    assert (await hall.submit(who, attempt)).attempt == second.attempt
    versions = [event.attempt_version for event in await hall.closed_events(attempt)]
    assert versions == [2, 4]
    (event,) = await events(db, ATTEMPT_REOPENED, events_pb2.AttemptReopened)
    assert event.attempt_version == 3
    # The grade of the new version is waited for; what was submitted before is kept.
    await write(db, "UPDATE student_exams SET announce_at = announce_at - interval '1 hour'")
    await write(db, "DELETE FROM outbox")
    assert await announce_ungraded(db, hall.papers) == 1
    (kept,) = await rows(db, "SELECT * FROM attempt_history")
    assert [answer["answer"] for answer in kept["answers"]] == ["first"]
    assert kept["before"]["answers_digest"] == first.attempt.answers_digest
    assert "first" not in json.dumps(await rows(db, "SELECT before, after FROM audit"))


async def test_a_reopened_attempt_expires_by_the_clock(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, _ = await begun(hall, grace_seconds=0)
    await hall.submit(who, attempt)
    await act(Action.REOPENED, attempt, 5)
    await hall.move_deadline(attempt, -6)

    assert await close_overdue(db, hall.papers) == 1
    assert (await hall.row(attempt))["version"] == 4


async def test_another_attempt_whose_time_is_up_gives_way(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, _ = await begun(hall, max_attempts=2)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.submit(who, attempt)
    other = (await hall.start(who, exam)).attempt.id
    with pytest.raises(AppError) as error:
        await act(Action.REOPENED, attempt, 5)
    assert (error.value.code, error.value.extra["student_exam_id"]) == ("already_started", str(other))
    # Within the grace its last answers may be on their way.
    await hall.move_deadline(other, -1)
    with pytest.raises(AppError, match="already_started"):
        await act(Action.REOPENED, attempt, 5)
    await hall.move_deadline(other, -36)

    assert (await act(Action.REOPENED, attempt, 5)).status.value == "in_progress"

    assert (await hall.row(other))["status"] == "expired"


async def test_a_reopened_attempt_that_is_not_the_latest_is_found(
    hall: Hall, db: Database, act: Intervene
) -> None:
    who, attempt, _ = await begun(hall, max_attempts=2)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.submit(who, attempt)
    later = (await hall.start(who, exam)).attempt.id
    await hall.submit(who, later)
    await act(Action.REOPENED, attempt, 30)

    (listed,) = (await list_exams(db, who, 10, ""))[0]
    assert (listed.exam.latest_id, listed.status) == (attempt, "in_progress")
    assert (await hall.resume(who, exam)).attempt.id == attempt
    await act(Action.PAUSED, attempt)
    with pytest.raises(AppError, match="attempt_paused"):
        await hall.resume(who, exam)
    await act(Action.RESUMED, attempt)
    await hall.move_deadline(attempt, -1)
    with pytest.raises(AppError, match="time_limit_exceeded") as error:
        await hall.resume(who, exam)
    assert error.value.extra["student_exam_id"] == str(attempt)


async def test_of_a_start_and_a_reopening_one_wins(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, _ = await begun(hall, max_attempts=2)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.submit(who, attempt)

    done = await asyncio.gather(
        hall.start(who, exam), act(Action.REOPENED, attempt, 5), return_exceptions=True
    )

    (refused,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(refused, AppError)
    assert refused.code == "already_started"
    (count,) = await rows(db, "SELECT count(*) AS n FROM student_exams WHERE status = 'in_progress'")
    assert count["n"] == 1


async def test_a_reopening_waits_for_a_start_under_way(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, _ = await begun(hall, max_attempts=2)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.submit(who, attempt)
    async with db.transaction() as start:
        await attempts.hold_still(start.conn, [(who.user_id, exam)])
        (first,) = await attempts.of_exam(start.conn, who.user_id, exam)
        second = replace(first, id=uuid4(), attempt_no=2, status=Status.IN_PROGRESS)
        assert await attempts.insert(start.conn, [second]) == {second.id}
        reopening = asyncio.create_task(act(Action.REOPENED, attempt, 5))
        await eventually(partial(_somebody_waits, db))
    with pytest.raises(AppError) as error:
        await reopening
    assert error.value.extra["student_exam_id"] == str(second.id)


async def _somebody_waits(db: Database) -> bool:
    """For an advisory lock of this database."""
    mine = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    query = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {mine}"
    return bool(await rows(db, query))


async def test_a_save_and_a_void_that_race(hall: Hall, db: Database, act: Intervene) -> None:
    who, attempt, question = await begun(hall)

    _, *saves = await asyncio.gather(
        act(Action.VOIDED, attempt), *(hall.save(who, attempt, sent(question, n, n)) for n in range(1, 9))
    )

    assert {(one.fault.code if one.fault else outcomes(one)[0]) for one in saves} <= {
        "stored",
        "superseded",
        "attempt_void",
        "rejected",
    }
    late = await hall.save(who, attempt, sent(question, "late", 99))
    assert late.fault is not None


async def test_grading_is_told_again_what_does_not_count(hall: Hall, db: Database, act: Intervene) -> None:
    exam = await hall.exam(["text"])
    kinds = {}
    for kind in ("void", "reopened", "running"):
        who, sitting = await hall.sits(exam)
        kinds[kind] = sitting.attempt.id
        if kind == "void":
            await act(Action.VOIDED, sitting.attempt.id)
        elif kind == "reopened":
            await hall.submit(who, sitting.attempt.id)
            await act(Action.REOPENED, sitting.attempt.id)
    await write(db, "DELETE FROM outbox")

    assert (await announce_all(db, hall.papers)).withdrawn == 2

    (void,) = await events(db, ATTEMPT_VOIDED, events_pb2.AttemptVoided)
    (reopened,) = await events(db, ATTEMPT_REOPENED, events_pb2.AttemptReopened)
    assert (void.student_exam_id, reopened.student_exam_id) == (str(kinds["void"]), str(kinds["reopened"]))


async def test_a_changed_window_keeps_what_was_given(
    hall: Hall, db: Database, admin: Actor, act: Intervene
) -> None:
    who, attempt, _ = await begun(hall)
    exam = (await hall.row(attempt))["exam_id"]
    await hall.submit(who, attempt)
    again = await act(Action.REOPENED, attempt, 30)

    await update_exam(db, admin, exam, {"title": "Other", "end_time": None})

    assert (await hall.row(attempt))["deadline"] == again.attempt.deadline


async def test_a_deadline_is_explained(hall: Hall, db: Database, admin: Actor, act: Intervene) -> None:
    who, attempt, question = await begun(hall)
    await put_accommodation(db, admin, who.user_id, None, Accommodation(50))
    await hall.save(who, attempt, sent(question, "what nobody else may read", 4))
    await act(Action.EXTENDED, attempt, 10, "the lift was stuck")
    await act(Action.PAUSED, attempt)
    await act(Action.RESUMED, attempt)

    found = await explain_attempt(db, str(attempt))

    assert [step.rule for step in found.steps] == ["start", "duration", "extra_time", "granted", "shifted"]
    assert [step.amount.total_seconds() for step in found.steps[:4]] == [0, 3600, 1800, 600]
    assert found.steps[-1].at == (await hall.row(attempt))["deadline"]
    assert [(row.action, row.reason) for row in found.history] == [
        ("extended", "the lift was stuck"),
        ("paused", "fire alarm"),
        ("resumed", "fire alarm"),
    ]
    told = [what for _, what in found.timeline]
    assert "question 1: revision 4 is stored" in told
    assert any("attempt.extended by user" in what and "the lift was stuck" in what for what in told)
    assert "what nobody else may read" not in str(found)
    assert [at for at, _ in found.timeline] == sorted(at for at, _ in found.timeline)
    # What changes when it is closed does not move it any more.
    await hall.submit(who, attempt)
    await put_accommodation(db, admin, who.user_id, None, Accommodation(100))
    closed = await explain_attempt(db, str(attempt))
    assert closed.steps[-1].rule == "earlier_rules"
    assert closed.steps[-1].at == (await hall.row(attempt))["deadline"]
    with pytest.raises(AppError, match="not_found"):
        await explain_attempt(db, str(UUID(int=7)))
