"""The operator's commands: run as processes, against what the use cases left in the database."""

import asyncio
import shlex
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from exam_service.domain.integrity import ReportedEvent
from exam_service.usecases.announce_all import Announced, announce_all
from exam_service.usecases.exam_events import EXAM_CHANGED
from exam_service.usecases.integrity import record_events
from examkit.db import Database
from examkit.testing import TestDatabase
from examprotos.exam.v1 import events_pb2

from .builders import draft, events, rows, write
from .sitting import Hall, outcomes, sent


async def run(database: TestDatabase, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exam_service", *arguments),
        env={"DATABASE_URL": database.serve_dsn, "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def _changes(db: Database) -> dict[str, int]:
    """By exam the newest version that the outbox tells of."""
    told = await events(db, EXAM_CHANGED, events_pb2.ExamChanged)
    return {event.exam_id: event.version for event in told}


async def _closed(hall: Hall, exam_id: UUID) -> UUID:
    who, sitting = await hall.sits(exam_id)
    await hall.submit(who, sitting.attempt.id)
    return sitting.attempt.id


async def _is_due(db: Database, attempt: UUID) -> bool:
    """Whether the reconciler announces it at its next look."""
    query = "SELECT announce_at <= now() AS due FROM student_exams WHERE id = :id"
    (row,) = await rows(db, query, id=attempt)
    return bool(row["due"])


async def test_announcing_tells_of_every_exam_and_of_what_has_no_grade(
    hall: Hall, db: Database, database: TestDatabase
) -> None:
    first, second = await hall.exam(["text"]), await hall.exam(["text"])
    await draft(db, [])
    graded, ungraded = await _closed(hall, first), await _closed(hall, second)
    await hall.sits(first)  # and goes on
    await write(
        db, "UPDATE student_exams SET graded_version = 2, announce_at = NULL WHERE id = :id", id=graded
    )
    before = await _changes(db)
    await write(db, "DELETE FROM outbox")  # the broker had it all, and lost it

    status, output = await run(database, "announce")

    assert (status, output) == (0, "told again: 2 exams, 1 attempts without a grade\n")
    after = await _changes(db)
    assert after.keys() == {str(first), str(second)}
    assert all(after[exam_id] > before[exam_id] for exam_id in after)
    assert [event.student_exam_id for event in await hall.closed_events()] == [str(ungraded)]
    # The reconciler then waits as after any announcement.
    (row,) = await rows(
        db, "SELECT announce_at > now() AS later FROM student_exams WHERE id = :id", id=ungraded
    )
    assert row["later"]


async def test_while_events_are_stuck_attempts_are_left_to_the_reconciler(hall: Hall, db: Database) -> None:
    attempt = await _closed(hall, await hall.exam(["text"]))
    await write(db, "UPDATE outbox SET written_at = now() - interval '1 hour'")

    assert await announce_all(db, hall.papers) == Announced(exams=1, attempts=0)

    assert len(await hall.closed_events(attempt)) == 1
    (row,) = await rows(
        db, "SELECT announce_at <= now() AS due FROM student_exams WHERE id = :id", id=attempt
    )
    assert row["due"]


async def test_the_timeline_of_an_attempt(hall: Hall, db: Database, database: TestDatabase) -> None:
    who, sitting = await hall.sits(await hall.exam(["text", "single_choice"]))
    attempt = sitting.attempt.id
    text = next(one.question_id for one in sitting.paper.questions if one.type == "text")
    await hall.save(who, attempt, sent(text, "what nobody else may read", 5))
    await record_events(db, who, str(attempt), [ReportedEvent("tab_hidden", datetime.now(UTC), b"")])
    await hall.submit(who, attempt)

    status, output = await run(database, "attempt", str(attempt))

    assert status == 0, output
    assert f"attempt {attempt}, number 1 of student {who.user_id}" in output
    assert "status submitted, version 2" in output
    assert "grade: none known; told to grading 1 times" in output
    happened = [line.split("  ", 2)[2] for line in output.splitlines() if line.startswith("  2")]
    wanted = [
        "started",
        "revision 5 is stored",
        "the page told: tab_hidden",
        "closed as submitted, 1 answers",
    ]
    places = [next(n for n, line in enumerate(happened) if what in line) for what in wanted]
    assert places == sorted(places)
    assert "examhall.exam.attempt.closed.v1 waits for the broker" in output
    assert "what nobody else may read" not in output

    await write(
        db, "UPDATE student_exams SET graded_version = 2, announce_at = NULL WHERE id = :id", id=attempt
    )
    assert "grade: there is one of this version" in (await run(database, "attempt", str(attempt)))[1]


async def test_what_is_no_attempt_is_said(database: TestDatabase) -> None:
    for word in ("nonsense", str(uuid4())):
        assert await run(database, "attempt", word) == (1, "There is no such attempt.\n")


async def test_lost_time_is_given_back_to_everyone_who_sits(
    hall: Hall, db: Database, database: TestDatabase
) -> None:
    exam_id, other = await hall.exam(["text"]), await hall.exam(["text"])
    closed = await _closed(hall, exam_id)
    sitting = [(await hall.sits(exam_id))[1].attempt for _ in range(2)]
    elsewhere = (await hall.sits(other))[1].attempt
    await write(db, "DELETE FROM outbox")

    done = await run(
        database, "give-time", "--minutes", "20", "--reason", "a power cut", "--exam", str(exam_id)
    )

    told = f"{exam_id}: 20 minutes more for 2 attempts\n20 minutes more for 2 attempts at 1 exams\n"
    assert done == (0, told)
    for attempt in sitting:
        row = await hall.row(attempt.id)
        assert row["deadline"] - attempt.deadline == timedelta(minutes=20)
        assert (row["granted_minutes"], row["deadline_version"]) == (20, 2)
        assert "20 minutes were granted on top." in row["deadline_reason"]
        _, timeline = await run(database, "attempt", str(attempt.id))
        assert "attempt.extended by service (a power cut)" in timeline
    assert (await hall.row(elsewhere.id))["deadline"] == elsewhere.deadline
    assert (await hall.row(closed))["granted_minutes"] == 0
    assert (await _changes(db)).keys() == {str(exam_id)}  # until when it may be sat has moved

    kept = await rows(db, "SELECT * FROM attempt_history ORDER BY student_exam_id")
    assert [(row["action"], row["reason"], row["actor_kind"]) for row in kept] == [
        ("extended", "a power cut", "service")
    ] * 2
    for row in kept:
        now = await hall.row(row["student_exam_id"])
        assert datetime.fromisoformat(row["after"]["deadline"]) == now["deadline"]
        assert row["after"]["deadline_version"] == now["deadline_version"]

    # Once more, for all that are sat: it adds up.
    status, output = await run(database, "give-time", "--minutes", "5", "--reason", "and another")
    assert (status, output.splitlines()[-1]) == (0, "5 minutes more for 3 attempts at 2 exams")
    assert (await hall.row(sitting[0].id))["granted_minutes"] == 25


async def test_where_it_stops_in_between_it_tells_how_to_go_on(
    hall: Hall, db: Database, database: TestDatabase
) -> None:
    sitting = [(await hall.sits(await hall.exam(["text"])))[1].attempt for _ in range(4)]
    exams = [str((await hall.row(attempt.id))["exam_id"]) for attempt in sitting]
    await write(db, "UPDATE student_exams SET granted_minutes = 2147483647 WHERE id = :id", id=sitting[2].id)
    words = [word for exam_id in exams for word in ("--exam", exam_id)]

    status, output = await run(database, "give-time", "--minutes", "5", "--reason", "no 'net'", *words)

    assert status == 1
    assert [line for line in output.splitlines() if "more for" in line] == [
        f"{exam_id}: 5 minutes more for 1 attempts" for exam_id in exams[:2]
    ]
    assert "stopped with 2 exams left" in output
    (command,) = (line for line in output.splitlines() if line.startswith("python -m exam_service "))
    await write(db, "UPDATE student_exams SET granted_minutes = 0 WHERE id = :id", id=sitting[2].id)
    status, output = await run(database, *shlex.split(command)[3:])
    assert (status, output.splitlines()[-1]) == (0, "5 minutes more for 2 attempts at 2 exams")
    assert [(await hall.row(attempt.id))["granted_minutes"] for attempt in sitting] == [5] * 4


async def test_time_that_is_up_goes_on_unless_somebody_closed_it(
    hall: Hall, db: Database, database: TestDatabase
) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"], duration_minutes=1))
    past = "started_at = now() - interval '10 min', deadline = now() - interval '9 min'"
    await write(db, f"UPDATE student_exams SET {past}")
    (question,) = sitting.paper.questions
    late = sent(question.question_id, "late", 1)
    fault = (await hall.save(who, sitting.attempt.id, late)).fault
    assert fault is not None
    assert fault.code == "time_limit_exceeded"

    assert (await run(database, "give-time", "--minutes", "15", "--reason", "an outage"))[0] == 0

    assert outcomes(await hall.save(who, sitting.attempt.id, late)) == ["stored"]


async def test_time_is_not_given_without_a_reason_or_measure(database: TestDatabase) -> None:
    for words in (["--minutes", "0", "--reason", "x"], ["--minutes", "5", "--reason", " "]):
        status, output = await run(database, "give-time", *words, "--exam", str(uuid4()))
        assert status == 1
        assert ("minutes must be" in output) != ("reason must say why" in output)
    words = ["--minutes", "5", "--reason", "x", "--exam", str(uuid4())]
    assert (await run(database, "give-time", *words))[0] == 1
