"""Saves, submits, sweeps and changes of deadlines that meet: an acknowledged save is always graded."""

import asyncio
import json
import random
from datetime import datetime, timedelta
from uuid import UUID

from exam_service.domain.attempt import Status
from exam_service.domain.deadline import Accommodation
from exam_service.domain.saving import SaveResult
from exam_service.repository.papers import PaperCache
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.exams import update_exam
from exam_service.usecases.start import Sitting
from exam_service.usecases.tend_attempts import close_overdue
from examkit.db import Database
from examkit.principal import Principal
from examkit.testing import TestDatabase

from .sitting import Hall, outcomes, sent

TEXTS = ("text", "text")


async def writes(hall: Hall, who: Principal, sitting: Sitting, seed: int) -> dict[UUID, tuple[int, str]]:
    """Saves and saves until the attempt is closed; the newest that was acknowledged, by question."""
    acknowledged: dict[UUID, tuple[int, str]] = {}
    dice = random.Random(seed)
    for revision in range(1, 200):
        question = dice.choice(sitting.paper.questions).question_id
        result = await hall.save(who, sitting.attempt.id, sent(question, f"{seed}/{revision}", revision))
        if result.fault is not None:
            assert result.fault.code in {"already_submitted", "time_limit_exceeded"}
            break
        assert outcomes(result) == ["stored"]
        acknowledged[question] = (revision, f"{seed}/{revision}")
    return acknowledged


async def graded(hall: Hall, attempt: UUID) -> dict[UUID, str]:
    (event,) = await hall.closed_events(attempt)
    return {UUID(answer.question_id): json.loads(answer.answer_json) for answer in event.answers}


async def test_an_acknowledged_save_is_in_what_is_graded_however_it_races_the_submit(hall: Hall) -> None:
    exam = await hall.exam(TEXTS)
    for number in range(40):
        who, sitting = await hall.sits(exam)

        async def hands_in(who: Principal = who, sitting: Sitting = sitting, number: int = number) -> None:
            for _ in range(number % 7):
                await asyncio.sleep(0.001)
            await hall.submit(who, sitting.attempt.id)

        acknowledged, _ = await asyncio.gather(writes(hall, who, sitting, number), hands_in())

        newest = {question: answer for question, (_, answer) in acknowledged.items()}
        assert await graded(hall, sitting.attempt.id) == newest


async def test_nor_when_it_races_the_sweeper(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    sittings = [await hall.sits(exam) for _ in range(10)]

    async def time_passes() -> None:
        for _, sitting in sittings:
            await hall.move_deadline(sitting.attempt.id, -6)
            await close_overdue(db, hall.papers, batch=3)

    *acknowledged, _ = await asyncio.gather(
        *(writes(hall, who, sitting, number) for number, (who, sitting) in enumerate(sittings)),
        time_passes(),
    )
    while await close_overdue(db, hall.papers):
        pass

    for (_, sitting), saved in zip(sittings, acknowledged, strict=True):
        newest = {question: answer for question, (_, answer) in saved.items()}
        assert await graded(hall, sitting.attempt.id) == newest


async def test_of_many_submits_at_once_all_answer_the_same_and_one_event_goes_out(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    question = sitting.paper.questions[0].question_id

    done = await asyncio.gather(
        *(hall.submit(who, sitting.attempt.id, sent(question, "same", 1)) for _ in range(6))
    )

    assert len({(each.attempt.closed_at, each.attempt.answers_digest) for each in done}) == 1
    assert all(each.rejected == [] for each in done)
    assert len(await hall.closed_events()) == 1


async def test_a_submit_and_the_sweeper_close_an_attempt_once(hall: Hall, db: Database) -> None:
    exam = await hall.exam(TEXTS, grace_seconds=0)
    sittings = [await hall.sits(exam) for _ in range(10)]
    for _, sitting in sittings:
        await hall.move_deadline(sitting.attempt.id, -6)

    done, *_ = await asyncio.gather(
        asyncio.gather(*(hall.submit(who, sitting.attempt.id) for who, sitting in sittings)),
        *(close_overdue(db, hall.papers, batch=4) for _ in range(3)),
    )

    assert {each.attempt.status for each in done} == {Status.EXPIRED}
    for _, sitting in sittings:
        (event,) = await hall.closed_events(sitting.attempt.id)
        assert event.attempt_version == 2


async def test_retries_that_come_late_and_out_of_order_change_nothing(hall: Hall) -> None:
    who, sitting = await hall.sits(await hall.exam(TEXTS))
    first, second = (question.question_id for question in sitting.paper.questions)
    journal = [
        sent(question, f"{revision}", revision) for revision in range(1, 9) for question in (first, second)
    ]
    retries = journal * 3
    random.Random(7).shuffle(retries)

    results: list[SaveResult] = await asyncio.gather(
        *(hall.save(who, sitting.attempt.id, answer) for answer in retries)
    )

    assert {outcome for result in results for outcome in outcomes(result)} <= {
        "stored",
        "repeat",
        "superseded",
    }
    assert await hall.stored(sitting.attempt.id) == {first: ("8", 8), second: ("8", 8)}
    await hall.submit(who, sitting.attempt.id, *retries)
    assert await graded(hall, sitting.attempt.id) == {first: "8", second: "8"}


async def test_no_start_slips_past_a_change_of_accommodation(hall: Hall, db: Database, admin: Actor) -> None:
    """An attempt is made with the new accommodation, or is there to be recomputed by it."""
    exam = await hall.exam(TEXTS)
    for number in range(12):
        who = hall.admit()

        async def grant(who: Principal = who, number: int = number) -> None:
            for _ in range(number % 4):
                await asyncio.sleep(0.001)
            await put_accommodation(db, admin, who.user_id, exam, Accommodation(100, per_exam=True))

        sitting, _ = await asyncio.gather(hall.start(who, exam), grant())

        row = await hall.row(sitting.attempt.id)
        assert row["deadline"] - row["started_at"] == timedelta(minutes=120)


async def test_no_start_slips_past_a_change_of_the_window(
    hall: Hall, db: Database, admin: Actor, now: datetime
) -> None:
    for number in range(8):
        exam = await hall.exam(TEXTS, end_time=now + timedelta(hours=9))
        students = [hall.admit() for _ in range(5)]
        sooner = now + timedelta(minutes=20)

        async def shorten(exam: UUID = exam, number: int = number, sooner: datetime = sooner) -> None:
            for _ in range(number % 4):
                await asyncio.sleep(0.001)
            await update_exam(db, admin, exam, {"end_time": sooner})

        *sittings, _ = await asyncio.gather(*(hall.start(who, exam) for who in students), shorten())

        for sitting in sittings:
            assert sitting is not None
            assert (await hall.row(sitting.attempt.id))["deadline"] == sooner


async def test_students_start_and_submit_while_the_pool_is_small_and_the_paper_unknown(
    database: TestDatabase, hall: Hall
) -> None:
    """Nobody waits for a second connection while holding the first: that would starve everyone."""
    exam = await hall.exam(TEXTS)
    small = Database(database.serve_dsn, schema="exam", pool_size=2)
    few = Hall(small, PaperCache(small))
    students = [few.admit() for _ in range(30)]

    started = await asyncio.gather(*(few.start(who, exam) for who in students))
    few.papers._papers.clear()
    done = await asyncio.gather(
        *(few.submit(who, each.attempt.id) for who, each in zip(students, started, strict=True))
    )
    await small.close()

    assert [each.attempt.student_id for each in started] == [who.user_id for who in students]
    assert [each.attempt.id for each in done] == [each.attempt.id for each in started]
    assert {each.attempt.status for each in done} == {Status.SUBMITTED}
    assert len(await hall.closed_events()) == 30
