"""Frozen papers with what counts for their questions, in Postgres and remembered in the process."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.key import Key, QuestionType
from grading_service.domain.regrading import Regrade, Rule, earned, rule_in_force
from grading_service.domain.scoring import Mark, Policy
from grading_service.repository import keys, regrades
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
    """A question with its key as frozen, and the rule that counts now."""

    question: PaperQuestion
    original: Key
    rule: Rule
    explanation: str


@dataclass(frozen=True)
class Paper:
    """What an exam asks, in the authored order, and how it is graded after the regrades that it names."""

    exam_id: UUID
    policy: Policy
    questions: tuple[KeyedQuestion, ...]
    regrades: tuple[Regrade, ...] = ()

    @property
    def version(self) -> int:
        """Of the rules: how many regrades they contain."""
        return len(self.regrades)

    @cached_property
    def keys(self) -> Mapping[str, tuple[Key, str]]:
        """Question id → key and explanation."""
        return {one: (keyed.rule.key, keyed.explanation) for one, keyed in self.by_id.items()}

    @cached_property
    def by_id(self) -> Mapping[str, KeyedQuestion]:
        return {str(one.question.question_id): one for one in self.questions}

    def earned(self, question_id: str, answer: Any, marked_score: int | None) -> Mark:
        """What an answer (in authored letters) earns, given what a person gave it."""
        keyed = self.by_id[question_id]
        asked = keyed.question
        return earned(keyed.rule, asked.type, answer, asked.points, self.policy, marked_score)

    def after(self, regrade: Regrade) -> "Paper":
        """The paper once this was decided too."""
        decided = (*self.regrades, regrade)
        questions = (changed(one, rule=_rule(one, decided)) for one in self.questions)
        return changed(self, questions=tuple(questions), regrades=decided)


def _rule(keyed: KeyedQuestion, decided: Sequence[Regrade]) -> Rule:
    return rule_in_force(keyed.original, decided, keyed.question.question_id)


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


async def rules_versions(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, int]:
    """By which rules these exams are graded, for as long as the transaction runs: a regrade waits for it.

    Raises LookupError for an exam without a frozen paper.
    """
    query = (
        sa.select(papers.c.exam_id, papers.c.rules_version)
        .where(papers.c.exam_id.in_(list(exam_ids)))
        .order_by(papers.c.exam_id)
        .with_for_update(read=True)
    )
    found = {row.exam_id: row.rules_version for row in (await conn.execute(query)).all()}
    for exam_id in exam_ids:
        if exam_id not in found:
            raise LookupError(f"exam {exam_id} has no frozen paper")
    return found


class PaperCache:
    """Papers by the version of their rules. None of them ever changes, so what is read is kept."""

    def __init__(self, most: int = 200) -> None:
        self._papers: OrderedDict[tuple[UUID, int], Paper] = OrderedDict()
        self._most = most

    async def get(self, conn: AsyncConnection, exam_id: UUID, version: int) -> Paper:
        """Raises LookupError for an exam without a frozen paper."""
        known = self._papers.get((exam_id, version))
        if known is not None:
            self._papers.move_to_end((exam_id, version))
            return known
        paper = await _load(conn, exam_id, version)
        self._papers[exam_id, version] = paper
        if len(self._papers) > self._most:
            self._papers.popitem(last=False)
        return paper


async def _load(conn: AsyncConnection, exam_id: UUID, version: int) -> Paper:
    stored = await stored_questions(conn, exam_id)
    if stored is None:
        raise LookupError(f"exam {exam_id} has no frozen paper")
    policy, questions = stored
    found = await keys.by_version(conn, {question.version_id for question in questions})
    decided = [one for one in await regrades.of_exam(conn, exam_id) if one.version <= version]
    keyed = []
    for question in questions:
        original = found[question.version_id]
        rule = rule_in_force(original.key, decided, question.question_id)
        keyed.append(KeyedQuestion(question, original.key, rule, original.explanation))
    return Paper(exam_id, policy, tuple(keyed), tuple(decided))
