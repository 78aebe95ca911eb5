"""Building, changing, closing exams in Postgres: what may change when, and what others hear of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from exam_service.repository import exams as exam_rows
from exam_service.repository.exams import ExamQuestionRow
from exam_service.tables import exams
from exam_service.usecases.actor import Actor
from exam_service.usecases.close import close_exam
from exam_service.usecases.exam_events import EXAM_CHANGED
from exam_service.usecases.exam_views import read_view
from exam_service.usecases.exams import create_exam, delete_exam, set_questions, update_exam
from exam_service.usecases.roster import Roster, set_roster
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7
from examprotos.exam.v1 import events_pb2, exams_pb2

from .builders import bank, content, draft, events, published, rows, settings, write

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


async def changes_heard(db: Database) -> list[events_pb2.ExamChanged]:
    return await events(db, EXAM_CHANGED, events_pb2.ExamChanged)


async def running(db: Database, exam_id: UUID, minutes: float = 60, student_id: UUID | None = None) -> UUID:
    """An attempt under way that began now."""
    attempt_id = uuid7()
    await write(
        db,
        """INSERT INTO student_exams (student_id, id, exam_id, attempt_no, started_at, deadline,
                                      deadline_reason, grace_seconds, last_activity, seed)
           VALUES (:student, :id, :exam, 1, now(), now() + make_interval(secs => :seconds), 'test', 30, now(),
                   decode(repeat('ab', 32), 'hex'))""",
        student=student_id or uuid7(),
        id=attempt_id,
        exam=exam_id,
        seconds=minutes * 60,
    )
    return attempt_id


async def accommodate(db: Database, exam_id: UUID | None, **values: object) -> UUID:
    student_id = values.pop("student_id", None) or uuid7()
    await write(
        db,
        """INSERT INTO accommodations (student_id, id, exam_id, extra_time_percent, end_time)
           VALUES (:student, :id, :exam, :percent, :end_time)""",
        student=student_id,
        id=uuid7(),
        exam=exam_id,
        percent=values.get("percent", 0),
        end_time=values.get("end_time"),
    )
    return student_id  # type: ignore[return-value]


async def test_a_draft_holds_what_it_was_given(db: Database, admin: Actor) -> None:
    question_ids = await bank(db, *(content(str(n), points_hundredths=100 * n) for n in (1, 2, 3)))
    view = await create_exam(
        db, admin, settings(wrong_penalty=Decimal("0.3333333333333333"), end_time=SOON, access_code="sesame")
    )
    chosen = [ExamQuestionRow(question_ids[2], None), ExamQuestionRow(question_ids[0], 550)]
    view = await set_questions(db, admin, view.exam.id, chosen)
    assert (view.question_count, view.max_possible_hundredths) == (2, 850)
    async with db.reading() as conn:
        stored = await read_view(conn, view.exam.id)
    assert list(stored.questions) == chosen
    assert stored.exam.settings.wrong_penalty == Decimal("0.3333333333333333")
    assert (stored.exam.settings.end_time, stored.exam.roster_all) == (SOON, True)
    trail = await rows(
        db, "SELECT action, after::text AS after FROM audit WHERE object_type = 'exam' ORDER BY at"
    )
    assert [entry["action"] for entry in trail] == ["exam.created", "exam.questions_set"]
    assert not any("sesame" in entry["after"] for entry in trail)
    assert await changes_heard(db) == []


async def test_the_choice_of_questions_is_checked(db: Database, admin: Actor) -> None:
    (one,) = await bank(db, content("1"))
    view = await draft(db, [one])
    unknown = ExamQuestionRow(uuid7(), None)
    for chosen, loc in (
        ([ExamQuestionRow(one, None), ExamQuestionRow(one, 100)], ("questions", 1, "question_id")),
        ([ExamQuestionRow(one, None), unknown], ("questions", 1, "question_id")),
        ([ExamQuestionRow(one, 0)], ("questions", 0, "points")),
        ([ExamQuestionRow(one, 100_001)], ("questions", 0, "points")),
    ):
        with pytest.raises(AppError) as failure:
            await set_questions(db, admin, view.exam.id, chosen)
        assert [error.loc for error in failure.value.errors] == [loc]
    assert (await set_questions(db, admin, view.exam.id, [])).question_count == 0


async def test_a_published_exam_takes_texts_window_and_policies_and_nothing_else(
    db: Database, admin: Actor
) -> None:
    view = await published(db)
    exam_id = view.exam.id
    allowed = {
        "title": "New",
        "description": "d",
        "instructions": "i",
        "start_time": SOON,
        "end_time": SOON + timedelta(hours=2),
        "result_policy": "manual",
        "reveal": "answers",
        "access_code": "sesame",
    }
    changed = await update_exam(db, admin, exam_id, allowed)
    for name, value in allowed.items():
        assert getattr(changed.exam.settings, name) == value
    for name, value in {
        "duration_minutes": 61,
        "grace_seconds": 31,
        "max_attempts": 2,
        "shuffle_questions": True,
        "shuffle_options": False,
        "multi_choice": "partial",
        "wrong_penalty": Decimal("0.5"),
    }.items():
        with pytest.raises(AppError) as failure:
            await update_exam(db, admin, exam_id, {name: value, "title": "Not this"})
        assert (failure.value.code, failure.value.extra["fields"]) == ("published", [name])
    same = await update_exam(db, admin, exam_id, {"duration_minutes": 60, "title": "New"})
    assert same.exam.updated_at == changed.exam.updated_at
    heard = await changes_heard(db)
    assert [event.title for event in heard] == ["Physics", "New"]
    assert heard[1].version > heard[0].version
    assert (heard[1].result_policy, heard[1].reveal) == (
        exams_pb2.RESULT_POLICY_MANUAL,
        exams_pb2.REVEAL_ANSWERS,
    )
    with pytest.raises(AppError, match="published"):
        await delete_exam(db, admin, exam_id)
    with pytest.raises(AppError, match="published"):
        await set_questions(db, admin, exam_id, [])
    same_questions = [ExamQuestionRow(q.question_id, q.points_hundredths) for q in view.questions]
    assert (await set_questions(db, admin, exam_id, same_questions)).question_count == 3


async def test_the_window_of_a_published_exam_may_not_end_before_it_starts(
    db: Database, admin: Actor
) -> None:
    view = await published(db, start_time=SOON)
    with pytest.raises(AppError) as failure:
        await update_exam(db, admin, view.exam.id, {"end_time": SOON})
    assert [error.loc for error in failure.value.errors] == [("end_time",)]


async def test_a_new_window_moves_the_deadlines_of_attempts_under_way(db: Database, admin: Actor) -> None:
    view = await published(db)
    attempt_id = await running(db, view.exam.id)
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
    await update_exam(db, admin, view.exam.id, {"end_time": end})
    (attempt,) = await rows(
        db, "SELECT deadline, deadline_version FROM student_exams WHERE id = :id", id=attempt_id
    )
    assert attempt == {"deadline": end, "deadline_version": 2}
    assert (await changes_heard(db))[-1].last_possible_end.ToDatetime(UTC) == end + timedelta(seconds=30)


async def test_drafts_are_deleted_with_all_that_is_theirs(db: Database, admin: Actor) -> None:
    view = await draft(db)
    await set_roster(db, admin, view.exam.id, Roster(False, frozenset({uuid7()}), ("g",)))
    await accommodate(db, view.exam.id, percent=10)
    await delete_exam(db, admin, view.exam.id)
    with pytest.raises(AppError, match="not_found"):
        await delete_exam(db, admin, view.exam.id)
    for table in ("exams", "exam_questions", "roster_students", "accommodations"):
        assert await rows(db, f"SELECT 1 FROM {table}") == []


async def test_who_is_on_the_roster(db: Database, admin: Actor) -> None:
    named, member, stranger = uuid7(), uuid7(), uuid7()
    view = await published(db)

    async def admitted() -> list[bool]:
        async with db.reading() as conn:
            exam = await exam_rows.get_exam(conn, view.exam.id)
            assert exam is not None
            sitting = ((named, ()), (member, ("7b", "x")), (stranger, ("7c",)))
            listed_by_name = await exam_rows.named_on_rosters(conn, [(who, exam.id) for who, _ in sitting])
            single = [exam.admits(groups) or (who, exam.id) in listed_by_name for who, groups in sitting]
            listed = []
            for who in sitting:
                query = sa.select(exams.c.id).where(exams.c.id == exam.id, exam_rows.on_roster(*who))
                listed.append(await conn.scalar(query) is not None)
        assert single == listed
        return single

    assert await admitted() == [True, True, True]
    changed = await set_roster(db, admin, view.exam.id, Roster(False, frozenset({named}), ("7b", "7b")))
    assert (changed.student_ids, changed.exam.roster_groups) == ((named,), ("7b",))
    assert await admitted() == [True, True, False]
    await set_roster(db, admin, view.exam.id, Roster(False))
    assert await admitted() == [False, False, False]
    (entry,) = await rows(
        db, "SELECT before, after FROM audit WHERE action = 'exam.roster_set' ORDER BY at LIMIT 1"
    )
    assert entry["after"] == {
        "all": False,
        "groups": ["7b"],
        "students": 1,
        "added": [str(named)],
        "removed": [],
    }
    with pytest.raises(AppError, match="invalid"):
        await set_roster(db, admin, view.exam.id, Roster(True, frozenset({named})))


async def test_a_roster_of_very_many_students(db: Database, admin: Actor) -> None:
    view = await draft(db)
    students = frozenset(UUID(int=n) for n in range(20_000))
    assert len((await set_roster(db, admin, view.exam.id, Roster(False, students))).student_ids) == 20_000
    fewer = await set_roster(
        db, admin, view.exam.id, Roster(False, frozenset({UUID(int=5), UUID(int=50_000)}))
    )
    assert fewer.student_ids == (UUID(int=5), UUID(int=50_000))


async def test_closing_stops_new_starts_and_is_told_once(db: Database, admin: Actor) -> None:
    view = await published(db)
    assert not (await changes_heard(db))[-1].HasField("last_possible_end")
    await running(db, view.exam.id, minutes=50)
    closed = await asyncio.gather(*(close_exam(db, admin, view.exam.id) for _ in range(4)))
    assert {one.exam.status for one in closed} == {"closed"}
    assert closed[0].attempt_count == 1
    heard = await changes_heard(db)
    assert [event.status for event in heard] == [
        exams_pb2.EXAM_STATUS_PUBLISHED,
        exams_pb2.EXAM_STATUS_CLOSED,
    ]
    left = heard[1].last_possible_end.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(minutes=49) < left < timedelta(minutes=51)
    with pytest.raises(AppError, match="not_published"):
        await close_exam(db, admin, (await draft(db)).exam.id)
    with pytest.raises(AppError, match="not_found"):
        await close_exam(db, admin, uuid7())


async def test_a_closed_exam_that_nobody_sits_ended_when_it_was_closed(db: Database, admin: Actor) -> None:
    view = await published(db, end_time=SOON)
    closed = await close_exam(db, admin, view.exam.id)
    assert (await changes_heard(db))[-1].last_possible_end.ToDatetime(UTC) == closed.exam.closed_at


async def test_the_last_possible_end_counts_accommodations_that_apply(db: Database, admin: Actor) -> None:
    grace = timedelta(seconds=30)
    view = await published(db, end_time=SOON)
    exam_id = view.exam.id

    async def told() -> datetime:
        await update_exam(db, admin, exam_id, {"title": f"T{uuid7()}"})
        return (await changes_heard(db))[-1].last_possible_end.ToDatetime(UTC)

    assert await told() == SOON + grace
    student = await accommodate(db, None, percent=100)
    assert await told() == SOON + timedelta(minutes=60) + grace
    # The exam's goes before the person's own, as a whole.
    await accommodate(db, exam_id, percent=10, student_id=student)
    assert await told() == SOON + timedelta(minutes=6) + grace
    other = await accommodate(db, None, end_time=SOON + timedelta(hours=5))
    assert await told() == SOON + timedelta(hours=5) + grace
    await set_roster(db, admin, exam_id, Roster(False, frozenset({student})))
    assert (await changes_heard(db))[-1].last_possible_end.ToDatetime(UTC) == SOON + timedelta(
        minutes=6
    ) + grace
    await set_roster(db, admin, exam_id, Roster(False, frozenset({student, other})))
    assert await told() == SOON + timedelta(hours=5) + grace
    await running(db, exam_id, minutes=60 * 24 * 3)
    assert await told() > SOON + timedelta(days=1)
