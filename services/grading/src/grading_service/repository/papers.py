"""Frozen papers with their keys, in Postgres and remembered in the process."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.key import Key, QuestionType
from grading_service.domain.scoring import Policy
from grading_service.repository import keys
from grading_service.tables import grades, paper_questions, papers


@dataclass(frozen=True)
class PaperQuestion:
    """One question as frozen; `points` in hundredths."""

    question_id: UUID
    version_id: UUID
    type: QuestionType
    option_ids: tuple[str, ...]
    points: int
    position: int


@dataclass(frozen=True)
class KeyedQuestion:
    question: PaperQuestion
    key: Key
    explanation: str


@dataclass(frozen=True)
class Paper:
    """What an exam asks, with the keys, in the authored order."""

    exam_id: UUID
    policy: Policy
    questions: tuple[KeyedQuestion, ...]

    @cached_property
    def keys(self) -> Mapping[str, tuple[Key, str]]:
        """Question id → key and explanation."""
        return {str(one.question.question_id): (one.key, one.explanation) for one in self.questions}


async def stored_questions(conn: AsyncConnection, exam_id: UUID) -> tuple[Policy, list[PaperQuestion]] | None:
    """The paper without keys, or None where the exam has none."""
    head = (await conn.execute(sa.select(papers).where(papers.c.exam_id == exam_id))).one_or_none()
    if head is None:
        return None
    query = (
        sa.select(paper_questions)
        .where(paper_questions.c.exam_id == exam_id)
        .order_by(paper_questions.c.position)
    )
    rows = (await conn.execute(query)).all()
    return Policy(head.multi_choice, head.wrong_penalty), [_question(row) for row in rows]


def _question(row: sa.Row[tuple[object, ...]]) -> PaperQuestion:
    return PaperQuestion(
        question_id=row.question_id,
        version_id=row.version_id,
        type=QuestionType(row.type),
        option_ids=tuple(row.option_ids),
        points=row.points,
        position=row.position,
    )


async def has_grades(conn: AsyncConnection, exam_id: UUID) -> bool:
    return bool(await conn.scalar(sa.select(sa.exists().where(grades.c.exam_id == exam_id))))


async def replace(
    conn: AsyncConnection, exam_id: UUID, policy: Policy, questions: Sequence[PaperQuestion]
) -> None:
    """Store a paper; one that was frozen by a publishing that went no further is dropped."""
    await conn.execute(paper_questions.delete().where(paper_questions.c.exam_id == exam_id))
    await conn.execute(papers.delete().where(papers.c.exam_id == exam_id))
    await conn.execute(
        papers.insert().values(
            exam_id=exam_id, multi_choice=policy.multi_choice, wrong_penalty=policy.wrong_penalty
        )
    )
    rows = [
        {
            "exam_id": exam_id,
            "question_id": one.question_id,
            "version_id": one.version_id,
            "type": one.type.value,
            "option_ids": list(one.option_ids),
            "points": one.points,
            "position": one.position,
        }
        for one in questions
    ]
    if rows:
        await conn.execute(paper_questions.insert(), rows)


class PaperCache:
    """Papers with their keys. They never change once an attempt exists, so what is read is kept."""

    def __init__(self, most: int = 200) -> None:
        self._papers: OrderedDict[UUID, Paper] = OrderedDict()
        self._most = most

    async def get(self, conn: AsyncConnection, exam_id: UUID) -> Paper:
        """Raises LookupError for an exam without a frozen paper."""
        known = self._papers.get(exam_id)
        if known is not None:
            self._papers.move_to_end(exam_id)
            return known
        paper = await _load(conn, exam_id)
        self._papers[exam_id] = paper
        if len(self._papers) > self._most:
            self._papers.popitem(last=False)
        return paper


async def _load(conn: AsyncConnection, exam_id: UUID) -> Paper:
    stored = await stored_questions(conn, exam_id)
    if stored is None:
        raise LookupError(f"exam {exam_id} has no frozen paper")
    policy, questions = stored
    found = await keys.by_version(conn, {question.version_id for question in questions})
    keyed = (
        KeyedQuestion(question, found[question.version_id].key, found[question.version_id].explanation)
        for question in questions
    )
    return Paper(exam_id, policy, tuple(keyed))
