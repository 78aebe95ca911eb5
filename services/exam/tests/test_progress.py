"""What the monitor reads: how far everyone is, only what changed, and by the indexes that are there."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from exam_service.domain.deadline import Accommodation
from exam_service.domain.integrity import ReportedEvent
from exam_service.domain.intervening import Action, Order
from exam_service.repository.progress import PAGE, Progress
from exam_service.usecases import progress
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.integrity import record_events
from exam_service.usecases.intervene import Intervention, intervene
from exam_service.usecases.progress import list_progress
from exam_service.usecases.tend_attempts import close_overdue
from examkit.db import Database
from examkit.errors import AppError

from .builders import rows, write
from .sitting import Hall, sent


async def read(
    db: Database, exam: UUID, since: datetime | None = None
) -> tuple[Sequence[Progress], datetime]:
    _, found, now, more = await list_progress(db, str(exam), after=None, since=since)
    assert not more
    return found, now


async def test_how_far_everyone_is(hall: Hall, db: Database) -> None:
    exam = await hall.exam(["text", "text", "text"])
    who, sitting = await hall.sits(exam)
    first, second, third = (one.question_id for one in sitting.paper.questions)
    await hall.save(who, sitting.attempt.id, sent(first, "x"), sent(second, "y"), sent(third, None))
    at = datetime.now(UTC)
    kinds = ("paste", "tab_hidden", "tab_visible", "online", "paste")
    noticed = [ReportedEvent(kind, at + timedelta(seconds=n), b"") for n, kind in enumerate(kinds)]
    await record_events(db, who, str(sitting.attempt.id), noticed)
    _, idle = await hall.sits(exam)
    await write(
        db,
        "UPDATE student_exams SET last_activity = now() - interval '91 seconds' WHERE id = :id",
        id=idle.attempt.id,
    )
    await hall.sits(await hall.exam(["text"]))

    (busy, quiet), now = await read(db, exam)

    assert (busy.attempt.id, busy.answered, busy.flags) == (
        sitting.attempt.id,
        2,
        {"paste": 2, "tab_hidden": 1},
    )
    assert busy.last_save_at is not None
    assert (busy.is_quiet, quiet.is_quiet, quiet.last_save_at, quiet.flags) == (False, True, None, {})
    assert now >= busy.last_save_at


async def test_only_what_changed(hall: Hall, db: Database, admin: Actor) -> None:
    exam = await hall.exam(["text"], grace_seconds=0)
    everybody = [await hall.sits(exam) for _ in range(6)]
    saves, submits, expires, granted, extended, _ = (sitting.attempt.id for _, sitting in everybody)
    _, now = await read(db, exam)
    assert (await read(db, exam, now))[0] == []

    (question,) = everybody[0][1].paper.questions
    await hall.save(everybody[0][0], saves, sent(question.question_id, "x"))
    await hall.submit(everybody[1][0], submits)
    await hall.move_deadline(expires, -6)
    assert await close_overdue(db, hall.papers) == 1
    await put_accommodation(db, admin, everybody[3][0].user_id, None, Accommodation(50))
    await intervene(db, hall.papers, str(extended), Intervention(admin, Order(Action.EXTENDED, 5), "because"))

    changed = {one.attempt.id: one for one in (await read(db, exam, now))[0]}
    assert changed.keys() == {saves, submits, expires, granted, extended}
    assert (changed[submits].status, changed[expires].status) == ("submitted", "expired")


async def test_page_by_page(hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOST", 2)
    exam = await hall.exam(["text"])
    attempts = sorted([(await hall.sits(exam))[1].attempt.id for _ in range(5)])
    seen: list[UUID] = []
    after, more = None, True
    while more:
        _, found, _, more = await list_progress(db, str(exam), after=after, since=None)
        seen += [one.attempt.id for one in found]
        after = seen[-1]
    assert seen == attempts
    for nothing in (uuid4(), "nonsense"):
        with pytest.raises(AppError, match="not_found"):
            await list_progress(db, str(nothing), after=None, since=None)


@pytest.mark.parametrize("since", [None, datetime(2026, 1, 1, tzinfo=UTC)])
async def test_indexes_serve_it(hall: Hall, db: Database, since: datetime | None) -> None:
    """Index Scan on student_exams_exam_id_idx, and for each row the primary keys of answers and events."""
    exam = await hall.exam(["text"])
    await hall.sits(exam)
    values: dict[str, Any] = {"exam_id": exam, "after": None, "since": since, "most": 201}
    async with db.transaction() as tx:
        # A handful of rows is read whole otherwise.
        await tx.conn.execute(sa.text("SET LOCAL enable_seqscan = off"))
        await tx.conn.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        lines = await tx.conn.execute(sa.text("EXPLAIN " + PAGE.text), values)
        plan = "\n".join(row[0] for row in lines)
    for index in ("student_exams_exam_id_idx", "student_answers_pkey", "integrity_events_pkey"):
        assert index in plan, plan
    assert "Seq Scan" not in plan
    assert "Sort Key: attempt" not in plan


async def test_no_index_makes_a_save_pay(db: Database) -> None:
    found = await rows(db, "SELECT indexdef FROM pg_indexes WHERE tablename = 'student_exams'")
    assert found
    assert not any("last_activity" in row["indexdef"] or "changed_at" in row["indexdef"] for row in found)
