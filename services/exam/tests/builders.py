"""Makes what tests of this service need: questions, exams, and grading's word on papers."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from exam_service.domain.bank import PutItem
from exam_service.domain.exam import ExamSettings
from exam_service.domain.paper import Option, Paper
from exam_service.domain.question import QuestionContent
from exam_service.repository.exams import ExamQuestionRow, ExamRow
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_views import ExamView
from exam_service.usecases.exams import create_exam, set_questions
from exam_service.usecases.publish import publish_exam
from exam_service.usecases.questions import put_questions
from examkit.db import Database
from examkit.ids import uuid7

SOMEBODY = Actor("01890000-0000-7000-8000-0000000000ad")


class FakeGrading:
    """Grading's `Papers` in this process: remembers what it froze, refuses or fails on demand."""

    def __init__(self) -> None:
        self.frozen: dict[UUID, list[Paper]] = {}
        self.ends: list[datetime | None] = []
        self.missing: set[UUID] = set()
        self.failure: Exception | None = None
        self.breaks_at: set[UUID] = set()
        self.calls = 0
        self.turn = asyncio.Lock()
        self.gate = asyncio.Event()
        self.gate.set()

    async def freeze(
        self, exam: ExamRow, paper: Paper, last_possible_end: datetime | None
    ) -> frozenset[UUID]:
        self.calls += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        if exam.id in self.breaks_at:
            raise KeyError("image")
        lacking = frozenset(q.question_id for q in paper.questions if q.question_id in self.missing)
        if not lacking:
            self.frozen.setdefault(exam.id, []).append(paper)
            self.ends.append(last_possible_end)
        return lacking


def content(text: str = "2 + 2 < 5?", **changes: Any) -> QuestionContent:
    values: dict[str, Any] = {
        "type": "single_choice",
        "text": text,
        "options": tuple(Option(letter, f"{letter} of {text}"[:100]) for letter in "ABCD"),
        "points_hundredths": 100,
        "category": "maths",
        "tags": ("easy",),
    }
    if changes.get("type", "single_choice") not in {"single_choice", "multi_choice"}:
        values["options"] = ()
    return QuestionContent(**(values | changes))


def item(offered: QuestionContent | None = None, **changes: Any) -> PutItem:
    values: dict[str, Any] = {
        "version_id": uuid7(),
        "content": offered or content(),
        "fallback_id": uuid7(),
    }
    return PutItem(**(values | changes))


def settings(**changes: Any) -> ExamSettings:
    return ExamSettings(**({"title": "Physics", "duration_minutes": 60} | changes))


async def bank(db: Database, *contents: QuestionContent) -> list[UUID]:
    """Puts these questions (three, unless told) into the bank; their ids."""
    offered = contents or tuple(content(f"Question {place}?") for place in range(1, 4))
    outcomes = await put_questions(db, SOMEBODY, [item(one) for one in offered])
    return [outcome.question_id for outcome in outcomes if outcome.question_id is not None]


async def draft(
    db: Database, question_ids: Sequence[UUID] | None = None, points: int | None = None, **changes: Any
) -> ExamView:
    """A draft with these questions (three new ones, unless told)."""
    chosen = await bank(db) if question_ids is None else question_ids
    view = await create_exam(db, SOMEBODY, settings(**changes))
    rows = [ExamQuestionRow(question_id, points) for question_id in chosen]
    return await set_questions(db, SOMEBODY, view.exam.id, rows)


async def published(
    db: Database, question_ids: Sequence[UUID] | None = None, points: int | None = None, **changes: Any
) -> ExamView:
    """The same, published."""
    view = await draft(db, question_ids, points, **changes)
    return await publish_exam(db, FakeGrading(), SOMEBODY, view.exam.id)


async def rows(db: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query gives, as dicts."""
    async with db.reading() as conn:
        return [dict(row) for row in (await conn.execute(sa.text(query), values)).mappings()]


async def write(db: Database, statement: str, **values: Any) -> None:
    """A change that no use case makes."""
    async with db.transaction() as tx:
        await tx.conn.execute(sa.text(statement), values)


async def events(db: Database, event_type: str, message: Any) -> list[Any]:
    """What waits in the outbox of this type, parsed, in order."""
    found = await rows(db, "SELECT body FROM outbox WHERE type = :t ORDER BY position", t=event_type)
    return [message.FromString(bytes(row["body"])) for row in found]
