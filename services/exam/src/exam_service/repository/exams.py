"""Exams, what they are built from, and who may sit them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.exam import SETTING_NAMES, ExamSettings
from exam_service.tables import (
    accommodations,
    exam_questions,
    exams,
    question_versions,
    questions,
    roster_students,
    student_exams,
)

Lock = Literal["share", "update"]

# Plain SQL, since it runs with starts.
_NAMED = sa.text(
    """
    SELECT listed.student_id, listed.exam_id
    FROM unnest(CAST(:students AS uuid[]), CAST(:exams AS uuid[])) AS asked (student_id, exam_id)
         JOIN roster_students AS listed
              ON listed.student_id = asked.student_id AND listed.exam_id = asked.exam_id
    """
)


@dataclass(frozen=True)
class ExamRow:
    """An exam as stored. `question_count` and `max_possible_hundredths` are those of its frozen paper.

    `version` is that of the last ExamChanged; `publishing_by` is who asked for the publication.
    """

    id: UUID
    status: str
    version: int
    settings: ExamSettings
    roster_all: bool
    roster_groups: tuple[str, ...]
    question_count: int | None
    max_possible_hundredths: int | None
    publishing_by: str | None
    publishing_at: datetime | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    closed_at: datetime | None

    @property
    def is_visible(self) -> bool:
        """Whether students may know of it."""
        return self.status in {"published", "closed"}

    def admits(self, groups: Collection[str]) -> bool:
        """Whether members of these groups may sit it, whether or not the roster names them one by one."""
        return self.roster_all or not frozenset(self.roster_groups).isdisjoint(groups)


@dataclass(frozen=True)
class ExamQuestionRow:
    """A place in a draft; the exam's own points, or None for the question's."""

    question_id: UUID
    points_hundredths: int | None


async def get_exam(conn: AsyncConnection, exam_id: UUID, *, lock: Lock | None = None) -> ExamRow | None:
    """The exam, or None.

    `lock="update"` for whoever changes it, `lock="share"` for whoever needs it to stay as it is until the
    commit. A transaction that also locks attempts locks the exam first: one order, no deadlocks.
    """
    query = sa.select(exams).where(exams.c.id == exam_id)
    if lock is not None:
        query = query.with_for_update(read=lock == "share")
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _exam(row)


async def get_exams(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, ExamRow]:
    """Those of these exams that are there, by id."""
    return {
        row.id: _exam(row) for row in await conn.execute(sa.select(exams).where(exams.c.id.in_(exam_ids)))
    }


async def list_exams(
    conn: AsyncConnection,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
    status: str | None = None,
    q: str = "",
) -> list[ExamRow]:
    """Newest first; `after` is the sort key of the last row seen."""
    query = sa.select(exams).order_by(exams.c.created_at.desc(), exams.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(exams.c.created_at, exams.c.id) < sa.tuple_(*after))
    if status is not None:
        query = query.where(exams.c.status == status)
    if q:
        query = query.where(exams.c.title.icontains(q, autoescape=True))
    return [_exam(row) for row in await conn.execute(query)]


async def insert_exam(conn: AsyncConnection, exam_id: UUID, settings: ExamSettings) -> ExamRow:
    row = await conn.execute(exams.insert().values(id=exam_id, **asdict(settings)).returning(exams))
    return _exam(row.one())


async def update_exam(conn: AsyncConnection, exam_id: UUID, values: Mapping[str, Any]) -> ExamRow:
    """Set these columns. The caller holds the lock."""
    changed = exams.update().where(exams.c.id == exam_id).values(updated_at=sa.func.now(), **values)
    return _exam((await conn.execute(changed.returning(exams))).one())


async def next_version(conn: AsyncConnection, exam_id: UUID) -> ExamRow:
    """Count the exam's version up, for an event; locks the exam until the commit."""
    changed = exams.update().where(exams.c.id == exam_id).values(version=exams.c.version + 1)
    return _exam((await conn.execute(changed.returning(exams))).one())


async def delete_exam(conn: AsyncConnection, exam_id: UUID) -> None:
    """With its questions, its roster, and the accommodations that were made for it."""
    await conn.execute(accommodations.delete().where(accommodations.c.exam_id == exam_id))
    await conn.execute(exams.delete().where(exams.c.id == exam_id))


async def publish_alone(conn: AsyncConnection, exam_id: UUID) -> bool:
    """Take the turn to settle the publication of this exam, until the commit; False where another has it.

    It never waits: who has it waits for grading, and a connection that waits along is missing elsewhere.
    """
    taken = await conn.scalar(
        sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('publish ' || :exam, 0))"),
        {"exam": str(exam_id)},
    )
    return bool(taken)


async def stuck_publishing(conn: AsyncConnection, older_than_seconds: float, limit: int = 20) -> list[UUID]:
    """Exams that have been `publishing` for longer than this."""
    age = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, older_than_seconds)
    query = (
        sa.select(exams.c.id)
        .where(exams.c.status == "publishing", exams.c.publishing_at < age)
        .order_by(exams.c.publishing_at)
        .limit(limit)
    )
    return list(await conn.scalars(query))


async def told_of(conn: AsyncConnection) -> list[UUID]:
    """Exams that other services know of: all but drafts."""
    return list(await conn.scalars(sa.select(exams.c.id).where(exams.c.status != "draft")))


# What a draft is built from.


async def exam_questions_of(conn: AsyncConnection, exam_id: UUID) -> list[ExamQuestionRow]:
    """In the order of the exam."""
    query = (
        sa.select(exam_questions.c.question_id, exam_questions.c.points_hundredths)
        .where(exam_questions.c.exam_id == exam_id)
        .order_by(exam_questions.c.position)
    )
    return [ExamQuestionRow(row.question_id, row.points_hundredths) for row in await conn.execute(query)]


async def replace_exam_questions(
    conn: AsyncConnection, exam_id: UUID, chosen: Sequence[ExamQuestionRow]
) -> None:
    await conn.execute(exam_questions.delete().where(exam_questions.c.exam_id == exam_id))
    if chosen:
        rows = [
            {"exam_id": exam_id, "position": position, **asdict(question)}
            for position, question in enumerate(chosen, start=1)
        ]
        await conn.execute(exam_questions.insert().values(rows))


async def is_in_a_draft(conn: AsyncConnection, question_id: UUID) -> bool:
    """Whether an exam that isn't published yet holds this question."""
    query = (
        sa.select(sa.literal(True))
        .select_from(exam_questions.join(exams, exams.c.id == exam_questions.c.exam_id))
        .where(exam_questions.c.question_id == question_id, exams.c.status.in_(("draft", "publishing")))
        .limit(1)
    )
    return bool(await conn.scalar(query))


async def draft_totals(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """Of drafts: how many questions, and how many hundredths of a point in all."""
    points = sa.func.coalesce(exam_questions.c.points_hundredths, question_versions.c.points_hundredths)
    query = (
        sa.select(exam_questions.c.exam_id, sa.func.count(), sa.cast(sa.func.sum(points), sa.BigInteger))
        .join(questions, questions.c.id == exam_questions.c.question_id)
        .join(question_versions, question_versions.c.id == questions.c.version_id)
        .where(exam_questions.c.exam_id.in_(exam_ids))
        .group_by(exam_questions.c.exam_id)
    )
    return {row[0]: (row[1], row[2]) for row in await conn.execute(query)}


async def attempt_counts(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many attempts each of these exams has; exams without any are left out."""
    query = (
        sa.select(student_exams.c.exam_id, sa.func.count())
        .where(student_exams.c.exam_id.in_(exam_ids))
        .group_by(student_exams.c.exam_id)
    )
    return {row[0]: row[1] for row in await conn.execute(query)}


# Who may sit it.


async def named_on_rosters(
    conn: AsyncConnection, asked: Collection[tuple[UUID, UUID]]
) -> set[tuple[UUID, UUID]]:
    """Which of these (student, exam) rosters name one by one. The rest `ExamRow.admits` tells."""
    if not asked:
        return set()
    students, exam_ids = zip(*asked, strict=True)
    rows = await conn.execute(_NAMED, {"students": list(students), "exams": list(exam_ids)})
    return {(row.student_id, row.exam_id) for row in rows}


def on_roster(student_id: UUID, groups: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether this student, a member of these groups, may sit an exam: a condition on `exams`, for lists."""
    named = sa.exists().where(
        roster_students.c.student_id == student_id, roster_students.c.exam_id == exams.c.id
    )
    by_group = exams.c.roster_groups.op("&&")(sa.cast(list(groups), pg.ARRAY(sa.Text)))
    return sa.or_(exams.c.roster_all, by_group, named)


async def roster_students_of(conn: AsyncConnection, exam_id: UUID) -> list[UUID]:
    query = (
        sa.select(roster_students.c.student_id)
        .where(roster_students.c.exam_id == exam_id)
        .order_by(roster_students.c.student_id)
    )
    return list(await conn.scalars(query))


async def change_roster_students(
    conn: AsyncConnection, exam_id: UUID, *, added: Iterable[UUID], removed: Iterable[UUID]
) -> None:
    """Two statements, however many students."""
    ids = sa.bindparam("ids", type_=pg.ARRAY(sa.Uuid))
    leaving, joining = list(removed), list(added)
    if leaving:
        gone = roster_students.delete().where(
            roster_students.c.exam_id == exam_id, roster_students.c.student_id == sa.any_(ids)
        )
        await conn.execute(gone, {"ids": leaving})
    if joining:
        rows = sa.select(sa.func.unnest(ids), sa.literal(exam_id, sa.Uuid))
        await conn.execute(
            roster_students.insert().from_select(["student_id", "exam_id"], rows), {"ids": joining}
        )


def _exam(row: Any) -> ExamRow:
    stored = row._mapping
    return ExamRow(
        id=row.id,
        status=row.status,
        version=row.version,
        settings=ExamSettings(**{name: stored[name] for name in SETTING_NAMES}),
        roster_all=row.roster_all,
        roster_groups=tuple(row.roster_groups),
        question_count=row.question_count,
        max_possible_hundredths=row.max_possible_hundredths,
        publishing_by=row.publishing_by,
        publishing_at=row.publishing_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        published_at=row.published_at,
        closed_at=row.closed_at,
    )
