"""Attempts: every query on `student_exams` but the saving of answers, which `saves` has.

Whoever changes an attempt locks it first, several in id order. The clock is Postgres's own.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.deadline import Deadline
from exam_service.domain.saving import StoredAnswer
from exam_service.tables import exams, student_answers, student_exams

_OPEN = ("in_progress", "paused")
COLUMNS = tuple(column for column in student_exams.c if column.name in Attempt.__dataclass_fields__)

AttemptKey = tuple[UUID, UUID]
"""(student, attempt)"""


async def hold_still(conn: AsyncConnection, student_id: UUID, exam_id: UUID) -> datetime:
    """Keep the student's accommodations and the exam's window as they are until the commit; the time now.

    Starts share this; a change of an accommodation or a window takes it alone (`change_alone`), so that an
    attempt is either made after the change, or there to be recomputed by it. Always the student's first.
    """
    await conn.execute(
        sa.text(
            "SELECT 1,"
            " pg_advisory_xact_lock_shared(hashtextextended('exam ' || :exam, 0))"
        ),
        {"student": str(student_id), "exam": str(exam_id)},
    )
    return await now(conn)


async def change_alone(conn: AsyncConnection, what: str, subject_id: UUID) -> None:
    """Wait for the starts under way of a `student` or an `exam`, and hold off others until the commit."""
    await conn.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"),
        {"subject": f"{what} {subject_id}"},
    )


async def now(conn: AsyncConnection) -> datetime:
    """The database's time at this moment."""
    moment: datetime = (await conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return moment


async def arrival(conn: AsyncConnection) -> datetime:
    """The database's time when this transaction began."""
    moment: datetime = (await conn.execute(sa.select(sa.func.now()))).scalar_one()
    return moment


async def get(conn: AsyncConnection, student_id: UUID, attempt_id: UUID) -> Attempt | None:
    query = sa.select(*COLUMNS).where(
        student_exams.c.student_id == student_id, student_exams.c.id == attempt_id
    )
    return _one((await conn.execute(query)).one_or_none())


async def lock(conn: AsyncConnection, student_id: UUID, attempt_id: UUID) -> Attempt | None:
    """The attempt, locked until the commit."""
    query = (
        sa.select(*COLUMNS)
        .where(student_exams.c.student_id == student_id, student_exams.c.id == attempt_id)
        .with_for_update(key_share=True)
    )
    return _one((await conn.execute(query)).one_or_none())


async def lock_open(conn: AsyncConnection, student_id: UUID, exam_id: UUID) -> Attempt | None:
    """The student's open attempt at the exam, locked until the commit."""
    query = (
        sa.select(*COLUMNS)
        .where(
            student_exams.c.student_id == student_id,
            student_exams.c.exam_id == exam_id,
            student_exams.c.status.in_(_OPEN),
        )
        .with_for_update(key_share=True)
    )
    return _one((await conn.execute(query)).one_or_none())


async def of_exam(conn: AsyncConnection, student_id: UUID, exam_id: UUID) -> list[Attempt]:
    """The student's attempts at the exam, the latest first."""
    query = (
        sa.select(*COLUMNS)
        .where(student_exams.c.student_id == student_id, student_exams.c.exam_id == exam_id)
        .order_by(student_exams.c.attempt_no.desc())
    )
    return [attempt_of(row) for row in await conn.execute(query)]


async def insert(conn: AsyncConnection, attempt: Attempt) -> bool:
    """Write a new attempt; False where the student has an open one, or one with this number, already."""
    values = {column.name: getattr(attempt, column.name) for column in COLUMNS}
    statement = pg.insert(student_exams).values(values).on_conflict_do_nothing()
    row = await conn.execute(statement.returning(student_exams.c.id))
    return row.one_or_none() is not None


async def resume(conn: AsyncConnection, student_id: UUID, exam_id: UUID) -> Attempt | None:
    """Count a resume of the attempt in progress; None where there is none with time left."""
    statement = (
        student_exams.update()
        .where(
            student_exams.c.student_id == student_id,
            student_exams.c.exam_id == exam_id,
            student_exams.c.status == "in_progress",
            student_exams.c.deadline >= sa.func.now(),
        )
        .values(resumes=student_exams.c.resumes + 1, last_activity=sa.func.now())
        .returning(*COLUMNS)
    )
    return _one((await conn.execute(statement)).one_or_none())


async def answers_of(
    conn: AsyncConnection, keys: Collection[AttemptKey]
) -> dict[AttemptKey, list[StoredAnswer]]:
    """All answers of these attempts, cleared ones too."""
    wanted = sa.tuple_(student_answers.c.student_id, student_answers.c.student_exam_id)
    query = sa.select(student_answers).where(wanted.in_(keys))
    found: dict[AttemptKey, list[StoredAnswer]] = {key: [] for key in keys}
    for row in await conn.execute(query):
        answer = StoredAnswer(row.question_id, row.answer, row.revision, row.saved_at)
        found[row.student_id, row.student_exam_id].append(answer)
    return found


async def shuffles_options(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether options are shuffled, by exam. Fixed from publishing on."""
    query = sa.select(exams.c.id, exams.c.shuffle_options).where(exams.c.id.in_(exam_ids))
    return {row.id: row.shuffle_options for row in await conn.execute(query)}


@dataclass(frozen=True, slots=True)
class Closing:
    """What an attempt becomes when it closes. `announce_after`: seconds until it is announced again."""

    attempt: Attempt
    answers_digest: str
    answer_count: int


async def close(
    conn: AsyncConnection, closings: Sequence[Closing], status: Status, reason: str, announce_after: float
) -> dict[UUID, Attempt]:
    """Set the attempts closed, one version on; by id. The caller holds their locks."""
    given = sa.func.unnest(
        sa.bindparam("ids", type_=pg.ARRAY(sa.Uuid)),
        sa.bindparam("students", type_=pg.ARRAY(sa.Uuid)),
        sa.bindparam("digests", type_=pg.ARRAY(sa.Text)),
        sa.bindparam("counts", type_=pg.ARRAY(sa.Integer)),
    ).table_valued(
        sa.column("id", sa.Uuid),
        sa.column("student_id", sa.Uuid),
        sa.column("digest", sa.Text),
        sa.column("count", sa.Integer),
    )
    given = given.render_derived(name="given")
    statement = (
        student_exams.update()
        .where(student_exams.c.student_id == given.c.student_id, student_exams.c.id == given.c.id)
        .values(
            status=status.value,
            version=student_exams.c.version + 1,
            closed_at=sa.func.now(),
            close_reason=reason,
            answers_digest=given.c.digest,
            answer_count=given.c.count,
            announcements=1,
            announce_at=sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, announce_after),
        )
        .returning(*COLUMNS)
    )
    parameters = {
        "ids": [closing.attempt.id for closing in closings],
        "students": [closing.attempt.student_id for closing in closings],
        "digests": [closing.answers_digest for closing in closings],
        "counts": [closing.answer_count for closing in closings],
    }
    rows = await conn.execute(statement, parameters)
    return {row.id: attempt_of(row) for row in rows}


def _is_due(late_arrivals: float) -> sa.ColumnElement[bool]:
    patience = sa.func.make_interval(0, 0, 0, 0, 0, 0, student_exams.c.grace_seconds + late_arrivals)
    return sa.and_(
        student_exams.c.status == "in_progress",
        student_exams.c.deadline < sa.func.now(),  # for the index
        student_exams.c.deadline + patience < sa.func.now(),
    )


async def exams_due(conn: AsyncConnection) -> list[UUID]:
    """The exams of attempts whose time is up."""
    query = sa.select(student_exams.c.exam_id).where(_is_due(0.0)).distinct()
    return list(await conn.scalars(query))


async def due_ids(conn: AsyncConnection, late_arrivals: float, limit: int) -> list[UUID]:
    """The ids of what `lock_due` would lock."""
    query = sa.select(student_exams.c.id).where(_is_due(late_arrivals)).order_by(student_exams.c.deadline)
    return list(await conn.scalars(query.limit(limit)))


async def lock_due(
    conn: AsyncConnection, late_arrivals: float, limit: int, only: UUID | None = None
) -> list[Attempt]:
    """Attempts in progress whose deadline, grace and `late_arrivals` (seconds) are over, longest first.

    Locked until the commit; those that somebody else holds are passed over. `only`: this one alone.
    """
    query = (
        sa.select(*COLUMNS)
        .where(_is_due(late_arrivals), sa.true() if only is None else student_exams.c.id == only)
        .order_by(student_exams.c.deadline)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return [attempt_of(row) for row in await conn.execute(query)]


async def lock_running(
    conn: AsyncConnection,
    *,
    student_id: UUID | None = None,
    exam_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 1000,
) -> list[Attempt]:
    """Open attempts of a student, of an exam, or both, locked in id order, from after this id on."""
    query = sa.select(*COLUMNS).where(student_exams.c.status.in_(_OPEN))
    if student_id is not None:
        query = query.where(student_exams.c.student_id == student_id)
    if exam_id is not None:
        query = query.where(student_exams.c.exam_id == exam_id)
    if after is not None:
        query = query.where(student_exams.c.id > after)
    query = query.order_by(student_exams.c.id).limit(limit).with_for_update(key_share=True)
    return [attempt_of(row) for row in await conn.execute(query)]


async def set_deadlines(conn: AsyncConnection, moved: Sequence[tuple[Attempt, Deadline]]) -> None:
    """New deadlines, each one version on. The caller holds the locks."""
    if not moved:
        return
    await conn.execute(
        sa.text(
            """
            UPDATE student_exams AS attempt
            SET deadline = moved.deadline, deadline_reason = moved.reason,
                deadline_version = attempt.deadline_version + 1
            FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[]), CAST(:deadlines AS timestamptz[]),
                        CAST(:reasons AS text[])) AS moved (student_id, id, deadline, reason)
            WHERE attempt.student_id = moved.student_id AND attempt.id = moved.id
            """
        ),
        {
            "students": [attempt.student_id for attempt, _ in moved],
            "ids": [attempt.id for attempt, _ in moved],
            "deadlines": [deadline.at for _, deadline in moved],
            "reasons": [deadline.reason for _, deadline in moved],
        },
    )


class KnownAttempts:
    """Which exam an attempt of a student is at: it never changes, so `size` of them are remembered."""

    def __init__(self, size: int = 200_000) -> None:
        self._size = size
        self._exams: OrderedDict[AttemptKey, UUID] = OrderedDict()

    def get(self, key: AttemptKey) -> UUID | None:
        exam_id = self._exams.get(key)
        if exam_id is not None:
            self._exams.move_to_end(key)
        return exam_id

    async def read(self, conn: AsyncConnection, keys: Collection[AttemptKey]) -> dict[AttemptKey, UUID]:
        """Those of these attempts that are there, and theirs. What isn't there may be one day: not kept."""
        wanted = sa.tuple_(student_exams.c.student_id, student_exams.c.id)
        query = sa.select(student_exams.c.student_id, student_exams.c.id, student_exams.c.exam_id)
        rows = await conn.execute(query.where(wanted.in_(keys)))
        found = {(row.student_id, row.id): row.exam_id for row in rows}
        self._exams.update(found)
        while len(self._exams) > self._size:
            self._exams.popitem(last=False)
        return found


def _one(row: Any) -> Attempt | None:
    return None if row is None else attempt_of(row)


def attempt_of(row: Any) -> Attempt:
    values = {name: getattr(row, name) for name in Attempt.__dataclass_fields__}
    return Attempt(**values | {"status": Status(row.status), "seed": bytes(row.seed)})
