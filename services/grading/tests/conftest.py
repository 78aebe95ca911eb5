"""A migrated grading schema, and an exam of every type whose keys and paper are in it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from examkit.db import Database
from examkit.ids import uuid7
from examkit.rpc.client import connect
from examkit.testing.databases import TestDatabase
from examkit.tls import TlsFiles
from grading_service.domain.key import (
    ChoiceKey,
    Key,
    ManualKey,
    NumericKey,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
)
from grading_service.domain.release import ExamPolicy, Reveal
from grading_service.domain.scoring import Policy
from grading_service.exam_ends import ExamEnds
from grading_service.repository.keys import StoredKey
from grading_service.repository.papers import PaperCache, PaperQuestion
from grading_service.usecases.freeze_paper import freeze_paper
from grading_service.usecases.grade_attempts import ClosedAttempt
from grading_service.usecases.put_keys import put_keys

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SENTINEL = "sentinel-9f3c"
ABCD = ("A", "B", "C", "D")

TYPES: list[tuple[QuestionType, tuple[str, ...], Key]] = [
    (QuestionType.SINGLE_CHOICE, ABCD, ChoiceKey(frozenset("B"))),
    (QuestionType.MULTI_CHOICE, ABCD, ChoiceKey(frozenset("AC"))),
    (QuestionType.TRUE_FALSE, (), TrueFalseKey(True)),
    (QuestionType.NUMERIC, (), NumericKey(Decimal("9.81"), Decimal("0.01"))),
    (QuestionType.SHORT_TEXT, (), ShortTextKey(("Newton", SENTINEL))),
    (QuestionType.TEXT, (), ManualKey()),
]


@dataclass(frozen=True)
class FrozenExam:
    """An exam of one question of each type, 2 points each."""

    exam_id: UUID
    question_ids: tuple[str, ...]

    def closed(self, answers: dict[int, Any] | None = None, **changes: Any) -> ClosedAttempt:
        """An attempt with these answers by the place of the question; shown as answered."""
        values: dict[str, Any] = {
            "student_id": uuid7(),
            "student_exam_id": uuid7(),
            "exam_id": self.exam_id,
            "attempt_no": 1,
            "attempt_version": 2,
            "status": "submitted",
            "started_at": NOW,
            "closed_at": NOW,
            "answers": {self.question_ids[place]: (a, a) for place, a in (answers or {}).items()},
            "letterings": {self.question_ids[0]: ("D", "C", "B", "A"), self.question_ids[1]: ABCD},
        }
        return ClosedAttempt(**(values | changes))


ALL_RIGHT: dict[int, Any] = {0: "B", 1: ["A", "C"], 2: "true", 3: "9.8", 4: "newton", 5: "An essay."}


@pytest.fixture
def database(fresh_database: Callable[[str], TestDatabase]) -> TestDatabase:
    return fresh_database("grading")


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    made = Database(database.serve_dsn, schema="grading", pool_size=5)
    yield made
    await made.close()


@pytest.fixture
def cache() -> PaperCache:
    return PaperCache()


@pytest.fixture
async def ends(certificates: Callable[[str], TlsFiles]) -> AsyncIterator[ExamEnds]:
    """For results that need no word of exam: there is none to ask."""
    channel = connect("127.0.0.1:1", server="exam", tls=certificates("grading"))
    yield ExamEnds(channel)
    await channel.close()


def exam_policy(**changes: Any) -> ExamPolicy:
    values: dict[str, Any] = {
        "title": "Physics",
        "result_policy": "immediate",
        "reveal": Reveal.CORRECTNESS,
        "closed": False,
        "end_time": None,
        "last_possible_end": None,
        "released_at": None,
    }
    return ExamPolicy(**(values | changes))


@pytest.fixture
async def exam(db: Database) -> FrozenExam:
    return await freeze(db, exam_policy())


async def freeze(db: Database, policy: ExamPolicy) -> FrozenExam:
    stored = [StoredKey(uuid7(), kind, options, key, f"Because {SENTINEL}.") for kind, options, key in TYPES]
    await put_keys(db, stored, None)
    questions = [
        PaperQuestion(uuid7(), one.version_id, one.type, one.option_ids, 200, place)
        for place, one in enumerate(stored, start=1)
    ]
    exam_id = uuid7()
    assert await freeze_paper(db, exam_id, Policy(), questions, policy) == []
    return FrozenExam(exam_id, tuple(str(one.question_id) for one in questions))
