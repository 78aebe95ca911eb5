"""Regrades in Postgres: the decisions, how far they have come, and what each of them changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.key import QuestionType, from_document, to_document
from grading_service.domain.regrading import Regrade, RegradePolicy
from grading_service.repository.grades import GradedAttempt, grade_of
from grading_service.repository.withdrawals import counts
from grading_service.tables import grades, papers, regrades, score_history


@dataclass(frozen=True)
class Progress:
    """`rules`: how many regrades the exam has; `applied`: how many of them reached every grade."""

    rules: int
    applied: int


@dataclass(frozen=True)
class Standing:
    """A result before or after: hundredths of points."""

    total: int
    max_possible: int


@dataclass(frozen=True)
class Difference:
    """What a regrade means for one attempt."""

    student_id: UUID
    student_exam_id: UUID
    attempt_no: int
    before: Standing
    after: Standing


async def of_exam(conn: AsyncConnection, exam_id: UUID) -> list[Regrade]:
    """All decisions, the oldest first, rolled back or not."""
    query = sa.select(regrades).where(regrades.c.exam_id == exam_id).order_by(regrades.c.version)
    return [_regrade(row) for row in (await conn.execute(query)).all()]


async def progress(conn: AsyncConnection, exam_id: UUID, *, lock: bool = False) -> Progress | None:
    """None for an exam without a paper. `lock`: nobody grades or regrades until the transaction ends."""
    query = sa.select(papers.c.rules_version, papers.c.applied_version).where(papers.c.exam_id == exam_id)
    row = (await conn.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Progress(row.rules_version, row.applied_version)


async def insert(conn: AsyncConnection, regrade: Regrade, kind: QuestionType) -> None:
    """Add a decision as the exam's newest; its paper is locked (see `progress`)."""
    await conn.execute(
        regrades.insert().values(
            id=regrade.id,
            exam_id=regrade.exam_id,
            question_id=regrade.question_id,
            version=regrade.version,
            type=kind.value,
            policy=regrade.policy.value,
            key=None if regrade.key is None else to_document(regrade.key),
            undoes=regrade.undoes,
            reason=regrade.reason,
            actor_id=regrade.actor_id,
            at=regrade.at,
        )
    )
    await conn.execute(
        papers.update().where(papers.c.exam_id == regrade.exam_id).values(rules_version=regrade.version)
    )


async def unapplied(conn: AsyncConnection) -> list[UUID]:
    """The exams with a regrade that has not reached every grade."""
    query = sa.select(papers.c.exam_id).where(papers.c.applied_version < papers.c.rules_version)
    return list((await conn.execute(query)).scalars())


async def lock_due(conn: AsyncConnection, exam_id: UUID, version: int, most: int) -> list[GradedAttempt]:
    """Some of the grades that this regrade has not reached, locked; not those that somebody holds."""
    query = (
        sa.select(grades)
        .where(grades.c.exam_id == exam_id, grades.c.rules_version < version, counts(grades))
        .order_by(grades.c.student_id, grades.c.student_exam_id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [grade_of(row) for row in (await conn.execute(query)).all()]


async def settle(conn: AsyncConnection, exam_id: UUID, version: int) -> bool:
    """Note that this regrade reached every grade, if so. One statement."""
    behind = sa.exists().where(grades.c.exam_id == exam_id, grades.c.rules_version < version, counts(grades))
    statement = (
        papers.update()
        .where(papers.c.exam_id == exam_id, papers.c.applied_version == version - 1, ~behind)
        .values(applied_version=version)
        .returning(papers.c.exam_id)
    )
    return (await conn.execute(statement)).first() is not None


async def grades_of_exam(
    conn: AsyncConnection, exam_id: UUID, after: UUID | None, most: int
) -> list[GradedAttempt]:
    """In the order of attempts, strictly after the given one."""
    query = sa.select(grades).where(grades.c.exam_id == exam_id, counts(grades))
    if after is not None:
        query = query.where(grades.c.student_exam_id > after)
    query = query.order_by(grades.c.student_exam_id).limit(most)
    return [grade_of(row) for row in (await conn.execute(query)).all()]


async def differences(conn: AsyncConnection, regrade_ids: Sequence[UUID]) -> dict[UUID, list[Difference]]:
    """What these regrades changed so far, attempt by attempt."""
    c = score_history.c
    query = sa.select(score_history).where(c.regrade_id.in_(list(regrade_ids))).order_by(c.student_exam_id)
    found: dict[UUID, list[Difference]] = {one: [] for one in regrade_ids}
    for row in (await conn.execute(query)).all():
        found[row.regrade_id].append(_difference(row))
    return found


def _difference(row: sa.Row[Any]) -> Difference:
    return Difference(
        student_id=row.student_id,
        student_exam_id=row.student_exam_id,
        attempt_no=row.attempt_no,
        before=Standing(row.total_before, row.max_before),
        after=Standing(row.total_after, row.max_after),
    )


def _regrade(row: sa.Row[Any]) -> Regrade:
    kind = QuestionType(row.type)
    return Regrade(
        id=row.id,
        exam_id=row.exam_id,
        question_id=row.question_id,
        version=row.version,
        policy=RegradePolicy(row.policy),
        key=None if row.key is None else from_document(kind, row.key),
        reason=row.reason,
        actor_id=row.actor_id,
        at=row.at,
        undoes=row.undoes,
    )
