"""Incidents: many are paused, resumed or given minutes together, once each, whatever happens in between."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from exam_service.domain.deadline import Accommodation
from exam_service.domain.incident import Plan, Scope, What
from exam_service.repository.incidents import Incident
from exam_service.usecases import incidents
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_events import EXAM_CHANGED
from exam_service.usecases.incidents import (
    create_incident,
    list_incidents,
    preview_incident,
    resume_incidents,
    run_step,
    undo_incident,
)
from examkit.db import Database
from examkit.errors import AppError
from examkit.principal import Principal
from examprotos.exam.v1 import events_pb2

from .builders import events, rows, write
from .sitting import Hall, outcomes, sent

EVERYBODY = Scope()


def plan(
    what: What, minutes: int | None = None, scope: Scope = EVERYBODY, reason: str = "a power cut"
) -> Plan:
    return Plan(what, scope, reason, minutes)


async def sitting(hall: Hall, count: int, **changes: Any) -> tuple[UUID, list[tuple[Principal, UUID, UUID]]]:
    """An exam, and those who sit it: student, attempt, question."""
    exam = await hall.exam(["text"], **changes)
    everybody = [await hall.sits(exam) for _ in range(count)]
    return exam, [(who, found.attempt.id, found.paper.questions[0].question_id) for who, found in everybody]


async def granted(db: Database) -> list[int]:
    return [row["granted_minutes"] for row in await rows(db, "SELECT * FROM student_exams ORDER BY id")]


async def statuses(db: Database) -> list[str]:
    return [row["status"] for row in await rows(db, "SELECT * FROM student_exams ORDER BY id")]


async def leave_at_once(
    db: Database, monkeypatch: pytest.MonkeyPatch, admin: Actor, exam: UUID, wanted: Plan
) -> Incident:
    """Begin an incident of which nothing is done yet, as if whoever began it had died."""
    with monkeypatch.context() as patched:
        patched.setattr(incidents, "ANSWER_WITHIN_SECONDS", 0.0)
        made = await create_incident(db, admin, str(exam), wanted)
    await write(db, "UPDATE incidents SET created_at = now() - interval '1 minute'")
    return made


async def test_all_are_paused_and_go_on(hall: Hall, db: Database, admin: Actor) -> None:
    exam, everybody = await sitting(hall, 4)
    who, attempt, question = everybody[0]
    await hall.submit(*everybody[3][:2])
    previewed = await preview_incident(db, str(exam), plan(What.PAUSE))
    assert [one.id for one in previewed] == sorted(one for _, one, _ in everybody[:3])
    assert await statuses(db) == ["in_progress"] * 3 + ["submitted"]

    paused = await create_incident(db, admin, str(exam), plan(What.PAUSE))

    assert (paused.total, paused.done, paused.skipped, paused.scope) == (3, 3, 0, {"exam": True})
    assert paused.finished_at is not None
    assert await statuses(db) == ["paused"] * 3 + ["submitted"]
    assert (await hall.save(who, attempt, sent(question, "x"))).fault is not None
    await write(
        db, "UPDATE student_exams SET paused_at = paused_at - interval '1 hour' WHERE status = 'paused'"
    )

    resumed = await undo_incident(db, admin, str(exam), str(paused.id), "power is back")

    assert (resumed.what, resumed.done, resumed.undo_of) == (What.RESUME, 3, paused.id)
    row = await hall.row(attempt)
    assert (row["status"], row["deadline"] - row["started_at"] > timedelta(hours=2)) == ("in_progress", True)
    assert outcomes(await hall.save(who, attempt, sent(question, "x"))) == ["stored"]
    told = await rows(db, "SELECT * FROM audit WHERE action LIKE 'exam.incident%' ORDER BY at")
    assert [(entry["action"], entry["reason"]) for entry in told] == [
        ("exam.incident", "a power cut"),
        ("exam.incident_undone", "power is back"),
    ]
    each = await rows(db, "SELECT * FROM audit WHERE action = 'attempt.paused'")
    assert [entry["after"]["incident_id"] for entry in each] == [str(paused.id)] * 3
    assert [one.undone_by for one in await list_incidents(db, str(exam))] == [None, resumed.id]


async def test_minutes_are_given_once_each_whatever_happens(
    hall: Hall, db: Database, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "AT_ONCE", 2)
    exam, everybody = await sitting(hall, 5)
    helped = everybody[0][0]
    await put_accommodation(db, admin, helped.user_id, None, Accommodation(50))
    before = (await hall.row(everybody[0][1]))["deadline"]
    made = await leave_at_once(db, monkeypatch, admin, exam, plan(What.ADD_MINUTES, 10))
    assert (made.done, made.finished_at) == (0, None)
    assert await run_step(db, made.id)
    assert sorted(await granted(db)) == [0, 0, 0, 10, 10]
    # Two go on with it, and a third comes late.
    await asyncio.gather(resume_incidents(db), resume_incidents(db))
    await resume_incidents(db)

    assert await granted(db) == [10] * 5
    # The extra time that somebody has stays what it is.
    assert (await hall.row(everybody[0][1]))["deadline"] - before == timedelta(minutes=10)
    (found,) = await list_incidents(db, str(exam))
    assert (found.done, found.finished_at is not None) == (5, True)
    last = (await events(db, EXAM_CHANGED, events_pb2.ExamChanged))[-1]
    assert last.exam_id == str(exam)


async def test_what_was_committed_before_a_crash_is_not_done_again(
    hall: Hall, db: Database, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "AT_ONCE", 2)
    exam, _ = await sitting(hall, 4)
    made = await leave_at_once(db, monkeypatch, admin, exam, plan(What.ADD_MINUTES, 10))
    await run_step(db, made.id)
    real = incidents.repository.set_outcomes

    async def dies(*_: Any) -> None:
        raise KeyError("died")

    with monkeypatch.context() as patched:
        patched.setattr(incidents.repository, "set_outcomes", dies)
        with pytest.raises(KeyError):
            await run_step(db, made.id)
    assert incidents.repository.set_outcomes is real

    await resume_incidents(db)

    assert await granted(db) == [10] * 4


async def test_saves_go_on_meanwhile(
    hall: Hall, db: Database, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "AT_ONCE", 3)
    exam, everybody = await sitting(hall, 9)

    async def saves(who: Principal, attempt: UUID, question: UUID) -> list[str]:
        return [
            outcome
            for number in range(1, 9)
            for outcome in outcomes(await hall.save(who, attempt, sent(question, number and "x", number)))
        ]

    made, *saved = await asyncio.gather(
        create_incident(db, admin, str(exam), plan(What.ADD_MINUTES, 5)), *(saves(*one) for one in everybody)
    )

    assert made.done == 9
    assert saved == [["stored"] * 8] * 9
    assert await granted(db) == [5] * 9


async def test_only_a_group(hall: Hall, db: Database, admin: Actor) -> None:
    exam, everybody = await sitting(hall, 3)
    room = Scope("room-2", frozenset({everybody[1][0].user_id, uuid4()}))

    made = await create_incident(db, admin, str(exam), plan(What.ADD_MINUTES, 7, room))

    assert (made.total, made.scope) == (1, {"group": "room-2"})
    assert (await hall.row(everybody[1][1]))["granted_minutes"] == 7
    assert sum(await granted(db)) == 7
    nobody = await create_incident(db, admin, str(exam), plan(What.PAUSE, None, Scope("x", frozenset())))
    assert (nobody.total, nobody.finished_at is not None) == (0, True)


async def test_only_those_who_fell_silent(hall: Hall, db: Database, admin: Actor, now: datetime) -> None:
    """From 20 to 10 minutes ago: not who saved then, who began later, or who was seen then."""
    exam, everybody = await sitting(hall, 5)
    silent, back, saved, began, seen = (attempt for _, attempt, _ in everybody)
    minute = timedelta(minutes=1)

    async def lived(attempt: UUID, started: int, last: int) -> None:
        await write(
            db,
            "UPDATE student_exams SET started_at = :started, last_activity = :last WHERE id = :id",
            started=now - started * minute,
            last=now - last * minute,
            id=attempt,
        )

    for who, attempt, question in everybody[:3]:
        await hall.save(who, attempt, sent(question, "x"))
    await write(
        db,
        "UPDATE student_answers SET saved_at = CASE WHEN student_exam_id = :saved"
        " THEN CAST(:then AS timestamptz) ELSE CAST(:before AS timestamptz) END",
        saved=saved,
        then=now - 15 * minute,
        before=now - 25 * minute,
    )
    for attempt, started, last in (
        (silent, 30, 25),
        (back, 30, 1),
        (saved, 30, 1),
        (began, 5, 1),
        (seen, 30, 12),
    ):
        await lived(attempt, started, last)
    scope = Scope(silent=(now - 20 * minute, now - 10 * minute))

    found = await preview_incident(db, str(exam), plan(What.ADD_MINUTES, 10, scope))

    assert {one.id for one in found} == {silent, back}
    both = Scope("room", frozenset({everybody[1][0].user_id}), scope.silent)
    assert {one.id for one in await preview_incident(db, str(exam), plan(What.PAUSE, None, both))} == {back}


async def test_taking_it_back(hall: Hall, db: Database, admin: Actor) -> None:
    exam, everybody = await sitting(hall, 3)
    made = await create_incident(db, admin, str(exam), plan(What.ADD_MINUTES, 10))
    await hall.submit(*everybody[0][:2])
    late, _ = await hall.sits(exam)

    undone = await undo_incident(db, admin, str(exam), str(made.id), "wrong exam")

    assert (undone.minutes, undone.total, undone.done, undone.skipped) == (-10, 3, 2, 1)
    given = {attempt: (await hall.row(attempt))["granted_minutes"] for _, attempt, _ in everybody}
    assert sorted(given.values()) == [0, 0, 10]
    assert late is not None
    for incident, code in ((made.id, "incident_undone"), (undone.id, "not_undoable")):
        with pytest.raises(AppError) as error:
            await undo_incident(db, admin, str(exam), str(incident), "again")
        assert error.value.code == code
    with pytest.raises(AppError, match="not_found"):
        await undo_incident(db, admin, str(exam), str(uuid4()), "x")
    with pytest.raises(AppError, match="not_found"):
        await undo_incident(db, admin, str(uuid4()), str(made.id), "x")


async def test_what_runs_is_not_taken_back(
    hall: Hall, db: Database, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam, _ = await sitting(hall, 1)
    made = await leave_at_once(db, monkeypatch, admin, exam, plan(What.PAUSE))
    with pytest.raises(AppError) as error:
        await undo_incident(db, admin, str(exam), str(made.id), "x")
    assert error.value.code == "incident_running"


async def test_what_is_wrong_is_located(hall: Hall, db: Database, admin: Actor, now: datetime) -> None:
    exam, _ = await sitting(hall, 1)
    backwards = Scope(silent=(now, now - timedelta(minutes=1)))
    for wanted, place in (
        (plan(What.ADD_MINUTES), ("minutes",)),
        (plan(What.ADD_MINUTES, 0), ("minutes",)),
        (plan(What.PAUSE, 5), ("minutes",)),
        (plan(What.PAUSE, reason=" "), ("reason",)),
        (plan(What.PAUSE, scope=backwards), ("scope", "silent_between")),
    ):
        for call in (preview_incident(db, str(exam), wanted), create_incident(db, admin, str(exam), wanted)):
            with pytest.raises(AppError) as error:
                await call
            assert [field.loc for field in error.value.errors] == [place]
    for call in (
        preview_incident(db, str(uuid4()), plan(What.PAUSE)),
        create_incident(db, admin, str(uuid4()), plan(What.PAUSE)),
        list_incidents(db, str(uuid4())),
    ):
        with pytest.raises(AppError, match="not_found"):
            await call
    assert await statuses(db) == ["in_progress"]
