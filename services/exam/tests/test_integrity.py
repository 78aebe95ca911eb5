"""Integrity events: what is kept, clamped, refused and dropped."""

from datetime import UTC, datetime, timedelta

import pytest
from exam_service.domain import integrity
from exam_service.domain.integrity import ReportedEvent
from exam_service.usecases.integrity import record_events
from examkit.db import Database
from examkit.errors import AppError

from .builders import rows, write
from .sitting import Hall

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: str = "paste", at: datetime | None = NEW_YEAR, detail: bytes = b"") -> ReportedEvent:
    return ReportedEvent(kind, at, detail)


async def kept(db: Database) -> list[dict[str, object]]:
    return await rows(db, "SELECT * FROM integrity_events ORDER BY at, kind")


async def test_events_are_kept_once(hall: Hall, db: Database, now: datetime) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    sent = [
        event(at=now, detail=b'{"length": 12}'),
        event("tab_hidden", now),
        event(at=now + timedelta(seconds=1)),
    ]

    for _ in range(2):
        await record_events(db, who, str(sitting.attempt.id), sent)

    found = await kept(db)
    assert [row["kind"] for row in found] == ["paste", "tab_hidden", "paste"]
    assert found[0]["detail"] == {"length": 12}
    assert found[1]["detail"] is None


async def test_a_wrong_clock_of_the_browser_costs_no_event(hall: Hall, db: Database, now: datetime) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    await record_events(
        db,
        who,
        str(sitting.attempt.id),
        [event(at=datetime(1970, 1, 1, tzinfo=UTC)), event(at=datetime(9999, 12, 31, tzinfo=UTC))],
    )

    early, late = await kept(db)
    assert early["at"] == sitting.attempt.started_at - timedelta(minutes=5)
    assert abs(late["at"] - now) < timedelta(minutes=10)  # type: ignore[operator]


async def test_what_is_wrong_is_located(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    wrong = [
        event("mouse_moved"),
        event(at=None),
        event(detail=b"{"),
        event(detail=b'"' + b"x" * 2048 + b'"'),
        event(detail=b'"\\u0000"'),
        event(),
    ]

    with pytest.raises(AppError) as error:
        await record_events(db, who, str(sitting.attempt.id), wrong)

    assert [field.loc for field in error.value.errors] == [
        ("events", 0, "kind"),
        ("events", 1, "at"),
        ("events", 2, "detail"),
        ("events", 3, "detail"),
        ("events", 4, "detail"),
    ]
    with pytest.raises(AppError, match="invalid"):
        await record_events(db, who, str(sitting.attempt.id), [event()] * 201)
    assert await kept(db) == []


async def test_nobody_reports_on_another(hall: Hall, db: Database) -> None:
    _, sitting = await hall.sits(await hall.exam(["text"]))

    for attempt in (str(sitting.attempt.id), "nonsense"):
        with pytest.raises(AppError, match="not_found"):
            await record_events(db, hall.admit(), attempt, [event()])


async def test_the_last_ones_come_after_closing_and_then_no_more(hall: Hall, db: Database) -> None:
    who, sitting = await hall.sits(await hall.exam(["text"]))
    await hall.submit(who, sitting.attempt.id)
    await record_events(db, who, str(sitting.attempt.id), [event()])
    await write(db, "UPDATE student_exams SET closed_at = now() - interval '11 minutes'")

    with pytest.raises(AppError, match="already_submitted"):
        await record_events(db, who, str(sitting.attempt.id), [event("copy")])
    assert len(await kept(db)) == 1


async def test_a_page_that_floods_fills_no_disk(
    hall: Hall, db: Database, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    monkeypatch.setattr("exam_service.usecases.integrity.MAX_PER_ATTEMPT", 5)
    who, sitting = await hall.sits(await hall.exam(["text"]))
    for number in range(4):
        many = [event(at=now + timedelta(milliseconds=10 * number + n)) for n in range(3)]
        await record_events(db, who, str(sitting.attempt.id), many)

    assert len(await kept(db)) == 5
    assert integrity.MAX_PER_ATTEMPT > 200
