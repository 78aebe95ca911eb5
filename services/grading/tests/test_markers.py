"""Several markers at one queue: claims, versions, criteria, many marks at once, by student or by question."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7
from examkit.principal import Principal
from examkit.rpc.context import acting
from examprotos.grading.v1 import marking_pb2
from grading_service.domain.key import ManualKey, QuestionType
from grading_service.domain.marking import CLAIM, Criterion, mark_faults
from grading_service.domain.scoring import Policy
from grading_service.repository.keys import StoredKey
from grading_service.repository.papers import PaperCache, PaperQuestion
from grading_service.rpc.marking import MarkingServicer
from grading_service.usecases.freeze_paper import freeze_paper
from grading_service.usecases.grade_attempts import ClosedAttempt, grade_attempts
from grading_service.usecases.put_keys import put_keys

from .conftest import NOW, FrozenExam, exam_policy

ADA, BOB = uuid7(), uuid7()


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


class Room:
    """Two essays that a number of students wrote, and markers at the queue."""

    def __init__(self, db: Database, cache: PaperCache) -> None:
        self.db, self.cache, self.clock = db, cache, Clock()
        self.servicer: Any = MarkingServicer(db, cache, self.clock)
        self.closed: list[ClosedAttempt] = []
        self.exam = FrozenExam(uuid7(), ())

    async def fill(self, number: int) -> None:
        stored = [StoredKey(uuid7(), QuestionType.TEXT, (), ManualKey(), "") for _ in range(2)]
        await put_keys(self.db, stored, None)
        asked = [
            PaperQuestion(uuid7(), one.version_id, one.type, (), 200, place)
            for place, one in enumerate(stored, start=1)
        ]
        assert await freeze_paper(self.db, self.exam.exam_id, Policy(), asked, exam_policy()) == []
        self.exam = FrozenExam(self.exam.exam_id, tuple(str(one.question_id) for one in asked))
        self.closed = [
            replace(
                self.exam.closed(),
                answers=dict.fromkeys(self.exam.question_ids, ("Words.", "Words.")),
                closed_at=NOW + timedelta(minutes=place),
                letterings={},
            )
            for place in range(number)
        ]
        await self.grade(*self.closed)

    async def grade(self, *closed: ClosedAttempt) -> None:
        async with self.db.transaction() as tx:
            await grade_attempts(tx, self.cache, closed, NOW)

    def answer(self, student: int, question: int) -> dict[str, Any]:
        return {
            "student_exam_id": str(self.closed[student].student_exam_id),
            "question_id": self.exam.question_ids[question],
        }

    def place(self, item: marking_pb2.QueueItem) -> tuple[int, int]:
        attempts = [str(one.student_exam_id) for one in self.closed]
        return attempts.index(item.student_exam_id), self.exam.question_ids.index(item.question_id)

    async def call(self, marker: UUID, method: str, request: Any) -> Any:
        with acting(principal=Principal(marker, "admin", frozenset(), uuid7(), 1, 4e9)):
            return await getattr(self.servicer, method)(request, None)

    async def listed(self, marker: UUID = ADA, **request: Any) -> marking_pb2.ListQueueResponse:
        found: marking_pb2.ListQueueResponse = await self.call(
            marker, "ListQueue", marking_pb2.ListQueueRequest(**request)
        )
        return found

    async def take(self, marker: UUID, limit: int, **request: Any) -> list[tuple[int, int]]:
        asked = marking_pb2.ListQueueRequest(limit=limit, **request)
        return [self.place(item) for item in (await self.call(marker, "ClaimNext", asked)).items]

    async def claim(self, marker: UUID, student: int = 0, question: int = 0) -> marking_pb2.Claim:
        asked = marking_pb2.AnswerRequest(**self.answer(student, question))
        found: marking_pb2.Claim = await self.call(marker, "ClaimAnswer", asked)
        return found

    async def release(self, marker: UUID, student: int = 0, question: int = 0) -> None:
        asked = marking_pb2.AnswerRequest(**self.answer(student, question))
        await self.call(marker, "ReleaseAnswer", asked)

    async def mark(self, marker: UUID, score: int, **more: Any) -> marking_pb2.FullResultItem:
        """On the first student's first answer."""
        asked = marking_pb2.PutMarkRequest(**self.answer(0, 0), score_hundredths=score, **more)
        found: marking_pb2.FullResultItem = (await self.call(marker, "PutMark", asked)).items[0]
        return found


@pytest.fixture
async def room(db: Database, cache: PaperCache) -> Room:
    made = Room(db, cache)
    await made.fill(3)
    return made


@contextmanager
def refused(code: str) -> Iterator[dict[str, Any]]:
    extra: dict[str, Any] = {}
    with pytest.raises(AppError) as caught:
        yield extra
    assert caught.value.code == code
    extra.update(caught.value.extra)


@pytest.mark.parametrize(
    ("group_by", "order"),
    [
        ("student", [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]),
        ("", [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]),
        ("question", [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]),
    ],
)
async def test_by_student_or_by_question_page_by_page(
    room: Room, group_by: str, order: list[tuple[int, int]]
) -> None:
    seen, cursor = [], ""
    for size in (4, 2):
        page = await room.listed(group_by=group_by, limit=4, cursor=cursor)
        assert (len(page.items), page.total) == (size, 6)
        seen += [room.place(item) for item in page.items]
        cursor = page.next_cursor
    assert (seen, cursor) == (order, "")
    waiting = [(one.question_id, one.order, one.waiting) for one in page.questions]
    assert waiting == [(question, place, 3) for place, question in enumerate(room.exam.question_ids, start=1)]


async def test_one_question_of_the_queue(room: Room) -> None:
    page = await room.listed(question_id=room.exam.question_ids[1])
    assert ([room.place(item) for item in page.items], page.total) == ([(0, 1), (1, 1), (2, 1)], 3)
    with refused("invalid"):
        await room.listed(group_by="mood")
    cursor = (await room.listed(group_by="question", limit=1)).next_cursor
    with refused("invalid"):
        await room.listed(group_by="student", cursor=cursor)


async def test_what_one_holds_no_other_marks(room: Room) -> None:
    held = await room.claim(ADA)
    assert (held.marker_id, held.until.ToDatetime()) == (str(ADA), (NOW + CLAIM).replace(tzinfo=None))
    for attempt in (room.claim, lambda marker: room.mark(marker, 100)):
        with refused("claimed") as told:
            await attempt(BOB)
        assert told == {"claimed_by": str(ADA), "claimed_until": "2026-03-02T12:15:00Z"}
    await room.release(BOB)
    assert (await room.listed(BOB)).items[0].claim.marker_id == str(ADA)
    free = (await room.listed(BOB, free=True)).items
    assert (0, 0) not in [room.place(item) for item in free]
    assert len((await room.listed(ADA, free=True)).items) == 6
    await room.mark(ADA, 100)
    await room.mark(BOB, 150)


async def test_a_claim_ends_by_itself_is_prolonged_and_given_back(room: Room) -> None:
    await room.claim(ADA)
    room.clock.now += CLAIM - timedelta(seconds=1)
    await room.claim(ADA)
    room.clock.now += timedelta(minutes=1)
    with refused("claimed"):
        await room.claim(BOB)
    room.clock.now += CLAIM
    await room.claim(BOB)
    await room.release(BOB)
    await room.claim(ADA)
    with refused("not_found"):
        await room.call(
            ADA, "ClaimAnswer", marking_pb2.AnswerRequest(**room.answer(0, 0) | {"question_id": str(uuid7())})
        )


async def test_the_next_answers_go_to_one_marker_each(room: Room) -> None:
    both = await asyncio.gather(room.take(ADA, 2), room.take(BOB, 2))
    assert sorted([*both[0], *both[1]]) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert await room.take(ADA, 2) == both[0], "what is hers comes again"
    assert await room.take(uuid7(), 9, group_by="question") == [(2, 0), (2, 1)]
    assert await room.take(uuid7(), 9) == []


async def test_a_mark_on_a_mark_that_was_not_seen_is_refused(room: Room) -> None:
    assert (await room.mark(ADA, 100, comment="So so.", expected_version=0)).version == 1
    with refused("stale_version") as told:
        await room.mark(BOB, 200, expected_version=0)
    assert told["current"] == {"version": 1, "score": 1.0, "comment": "So so.", "marked_by": str(ADA)}
    assert (await room.mark(BOB, 200, expected_version=1)).version == 2
    assert (await room.mark(ADA, 50)).version == 3, "who expects nothing replaces what there is"


async def test_versions_grow_over_versions_of_the_attempt(room: Room) -> None:
    await room.mark(ADA, 100)
    one = room.closed[0]
    question = room.exam.question_ids[0]
    await room.grade(replace(one, attempt_version=3))
    assert (await room.mark(ADA, 100, expected_version=1)).version == 2
    other = dict(one.answers) | {question: ("Other words.", "Other words.")}
    await room.grade(replace(one, attempt_version=4, answers=other))
    assert {item.version for item in (await room.listed()).items if room.place(item) == (0, 0)} == {3}
    with refused("stale_version"):
        await room.mark(ADA, 100, expected_version=2)


async def test_criteria_add_up_and_stay_with_the_mark(room: Room) -> None:
    lines = [
        marking_pb2.Criterion(name=name, points_hundredths=points)
        for name, points in (("Names it", 50), ("Proves it", 100))
    ]
    with refused("invalid"):
        await room.mark(ADA, 200, criteria=lines)
    marked = await room.mark(ADA, 150, criteria=lines)
    assert list(marked.criteria) == lines
    await room.grade(replace(room.closed[0], attempt_version=3))
    async with room.db.reading() as conn:
        views = await conn.scalar(sa.text("SELECT string_agg(CAST(plain AS text), '') FROM student_views"))
        kept = await conn.scalar(sa.text("SELECT criteria FROM mark_history"))
    assert "Names it" not in views, "students don't see them"
    assert kept == [{"name": "Names it", "points": 50}, {"name": "Proves it", "points": 100}]


async def test_many_marks_each_for_itself(room: Room) -> None:
    await room.claim(BOB, 1)
    marks = [
        marking_pb2.PutMarkRequest(**room.answer(student, 0), score_hundredths=score, expected_version=0)
        for student, score in ((0, 200), (1, 100), (2, 201), (0, 100))
    ]
    found = await room.call(ADA, "PutMarks", marking_pb2.PutMarksRequest(marks=marks))
    told = [(one.version if one.HasField("version") else None, one.code) for one in found.verdicts]
    assert told == [(1, ""), (None, "claimed"), (None, "invalid"), (None, "stale_version")]
    assert found.verdicts[2].detail == "Give 0 to 2.00 points."
    assert (await room.listed()).total == 5
    with refused("invalid"):
        await room.call(ADA, "PutMarks", marking_pb2.PutMarksRequest(marks=marks * 51))


@pytest.mark.parametrize(
    ("score", "comment", "criteria", "loc"),
    [
        (201, "", [], ("score",)),
        (-1, "", [], ("score",)),
        (1, "x" * 10_001, [], ("comment",)),
        (1, "", [Criterion(" ", 1)], ("criteria", 0, "name")),
        (1, "", [Criterion("x" * 301, 1)], ("criteria", 0, "name")),
        (2, "", [Criterion("x", 1)], ("criteria",)),
        (51, "", [Criterion("x", 1)] * 51, ("criteria",)),
    ],
)
def test_what_is_no_mark(score: int, comment: str, criteria: list[Criterion], loc: tuple[Any, ...]) -> None:
    assert [fault.loc for fault in mark_faults(score, 200, comment, criteria)] == [loc]
