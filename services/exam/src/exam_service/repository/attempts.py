"""Attempts: every query on `student_exams` but the saving of answers, which `saves` has.

Whoever changes an attempt locks it first, several in id order. The clock is Postgres's own.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.deadline import Deadline
from exam_service.domain.saving import StoredAnswer

# Plain SQL, since these run with each start and submit: building such queries costs more than they do.
FIELDS = tuple(Attempt.__dataclass_fields__)
_COLUMNS = ", ".join(f"attempt.{name}" for name in FIELDS)
_SELECT = f"SELECT {_COLUMNS} FROM student_exams AS attempt"  # noqa: S608 - names of ours
_MINE = "attempt.student_id = :student_id"

AttemptKey = tuple[UUID, UUID]
"""(student, attempt)"""
ExamKey = tuple[UUID, UUID]
"""(student, exam)"""

_NOW = sa.text("SELECT clock_timestamp()")
# One row for each lock; the time of the last is when all were had.
_HOLD_STILL = sa.text(
    """
    SELECT subject, pg_try_advisory_xact_lock_shared(hashtextextended(subject, 0)) AS had,
           clock_timestamp() AS now
    FROM unnest(CAST(:subjects AS text[])) AS held (subject)
    """
)
_CHANGE_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))")
_GET = sa.text(f"{_SELECT} WHERE {_MINE} AND attempt.id = :id")
_LOCK = sa.text(f"{_SELECT} WHERE {_MINE} AND attempt.id = :id FOR NO KEY UPDATE")
_LOCK_FREE = sa.text(
    f"""
    {_SELECT} JOIN unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS wanted (student_id, id)
         ON attempt.student_id = wanted.student_id AND attempt.id = wanted.id
    FOR NO KEY UPDATE OF attempt SKIP LOCKED
    """
)
_LOCK_ALL = sa.text(
    f"""
    {_SELECT} JOIN unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS wanted (student_id, id)
         ON attempt.student_id = wanted.student_id AND attempt.id = wanted.id
    ORDER BY attempt.id FOR NO KEY UPDATE OF attempt
    """
)
_OF_EXAMS = sa.text(
    f"""
    {_SELECT} JOIN unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS wanted (student_id, exam_id)
         ON attempt.student_id = wanted.student_id AND attempt.exam_id = wanted.exam_id
    ORDER BY attempt.attempt_no DESC
    """
)
# What an attempt begins with; the rest is as the table has it.
_BEGINNING = {
    "student_id": "uuid",
    "id": "uuid",
    "exam_id": "uuid",
    "attempt_no": "int",
    "status": "text",
    "started_at": "timestamptz",
    "deadline": "timestamptz",
    "deadline_reason": "text",
    "grace_seconds": "int",
    "last_activity": "timestamptz",
    "seed": "bytea",
}
_INSERT = sa.text(
    f"""
    INSERT INTO student_exams ({", ".join(_BEGINNING)})
    SELECT * FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _BEGINNING.items())})
    ON CONFLICT DO NOTHING RETURNING id
    """  # noqa: S608 - names of ours
)
_RESUME = sa.text(
    f"""
    WITH before AS MATERIALIZED (
        SELECT attempt.id, attempt.last_activity FROM student_exams AS attempt
        WHERE {_MINE} AND attempt.exam_id = :exam_id AND status = 'in_progress' AND deadline >= now()
        FOR NO KEY UPDATE
    )
    UPDATE student_exams AS attempt SET resumes = resumes + 1, last_activity = now()
    FROM before WHERE {_MINE} AND attempt.id = before.id
    RETURNING {_COLUMNS}, CAST(extract(epoch FROM now() - before.last_activity) AS float8) AS gap
    """  # noqa: S608
)
_ANSWERS = sa.text(
    """
    SELECT kept.student_id, kept.student_exam_id, kept.question_id, kept.answer, kept.revision, kept.saved_at
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS wanted (student_id, id)
         JOIN student_answers AS kept
              ON kept.student_id = wanted.student_id AND kept.student_exam_id = wanted.id
    """
)
_SHUFFLES = sa.text("SELECT id, shuffle_options FROM exams WHERE id = ANY (CAST(:exam_ids AS uuid[]))")
_CLOSE = sa.text(
    f"""
    UPDATE student_exams AS attempt
    SET status = :status, version = attempt.version + 1, closed_at = now(), close_reason = :reason,
        answers_digest = given.digest, answer_count = given.count,
        announcements = 1, announce_at = now() + make_interval(secs => :announce_after),
        changed_at = now()
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[]), CAST(:digests AS text[]),
                CAST(:counts AS int[])) AS given (student_id, id, digest, count)
    WHERE attempt.student_id = given.student_id AND attempt.id = given.id
    RETURNING {_COLUMNS}
    """  # noqa: S608
)
_RUNNING = f"{_SELECT} WHERE attempt.status IN ('in_progress', 'paused')"
_RUNNING_BY = {
    "student_id": _MINE,
    "exam_id": "attempt.exam_id = :exam_id",
    "after": "attempt.id > :after",
}
_IN_ID_ORDER = " ORDER BY attempt.id LIMIT :most FOR NO KEY UPDATE"
_SET_DEADLINES = sa.text(
    """
    UPDATE student_exams AS attempt
    SET deadline = moved.deadline, deadline_reason = moved.reason,
        deadline_version = attempt.deadline_version + 1, changed_at = now()
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[]), CAST(:deadlines AS timestamptz[]),
                CAST(:reasons AS text[])) AS moved (student_id, id, deadline, reason)
    WHERE attempt.student_id = moved.student_id AND attempt.id = moved.id
    """
)
_GRANT = sa.text(
    """
    WITH running AS MATERIALIZED (
        SELECT student_id, id FROM student_exams
        WHERE exam_id = :exam_id AND status IN ('in_progress', 'paused') ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE student_exams AS attempt SET granted_minutes = attempt.granted_minutes + :minutes
    FROM running WHERE attempt.student_id = running.student_id AND attempt.id = running.id
    RETURNING attempt.id, attempt.granted_minutes
    """
)
_EXAMS = sa.text(
    """
    SELECT attempt.student_id, attempt.id, attempt.exam_id
    FROM unnest(CAST(:students AS uuid[]), CAST(:ids AS uuid[])) AS wanted (student_id, id)
         JOIN student_exams AS attempt ON attempt.student_id = wanted.student_id AND attempt.id = wanted.id
    """
)


async def hold_still(
    conn: AsyncConnection, sitting: Collection[ExamKey]
) -> tuple[datetime, frozenset[ExamKey]]:
    """Keep these students' accommodations and the exams' windows as they are until the commit.

    The time now, and those that could not be held: somebody changes theirs, and they are to come again.
    Starts share this; a change of an accommodation or a window takes it alone (`change_alone`), so that an
    attempt is either made after the change, or there to be recomputed by it. Waits for none.
    """
    subjects = {f"student {student}" for student, _ in sitting} | {f"exam {exam}" for _, exam in sitting}
    rows = (await conn.execute(_HOLD_STILL, {"subjects": sorted(subjects)})).all()
    had = {row.subject for row in rows if row.had}
    changing = {key for key in sitting if not {f"student {key[0]}", f"exam {key[1]}"} <= had}
    return rows[-1].now, frozenset(changing)


async def change_alone(conn: AsyncConnection, what: str, subject_id: UUID) -> None:
    """Wait for the starts under way of a `student` or an `exam`, and hold off others until the commit."""
    await conn.execute(_CHANGE_ALONE, {"subject": f"{what} {subject_id}"})


async def now(conn: AsyncConnection) -> datetime:
    """The database's time at this moment."""
    moment: datetime = (await conn.execute(_NOW)).scalar_one()
    return moment


async def get(conn: AsyncConnection, student_id: UUID, attempt_id: UUID) -> Attempt | None:
    return await _one(conn, _GET, {"student_id": student_id, "id": attempt_id})


async def lock(conn: AsyncConnection, student_id: UUID, attempt_id: UUID) -> Attempt | None:
    """The attempt, locked until the commit."""
    return await _one(conn, _LOCK, {"student_id": student_id, "id": attempt_id})


async def lock_all(conn: AsyncConnection, keys: Collection[AttemptKey]) -> list[Attempt]:
    """Those of these attempts that are there, locked until the commit in id order, as saves lock them."""
    return await _all(conn, _LOCK_ALL, _pairs(keys))


async def lock_free(conn: AsyncConnection, keys: Collection[AttemptKey]) -> dict[AttemptKey, Attempt]:
    """Those of these attempts that nobody else holds, locked until the commit. Waits for none."""
    return {
        (attempt.student_id, attempt.id): attempt for attempt in await _all(conn, _LOCK_FREE, _pairs(keys))
    }


async def of_exams(conn: AsyncConnection, sitting: Collection[ExamKey]) -> dict[ExamKey, list[Attempt]]:
    """The students' attempts at the exams, the latest first."""
    found: dict[ExamKey, list[Attempt]] = {key: [] for key in sitting}
    for attempt in await _all(conn, _OF_EXAMS, _pairs(found)):
        found[attempt.student_id, attempt.exam_id].append(attempt)
    return found


async def of_exam(conn: AsyncConnection, student_id: UUID, exam_id: UUID) -> list[Attempt]:
    """The student's attempts at the exam, the latest first."""
    return (await of_exams(conn, [(student_id, exam_id)]))[student_id, exam_id]


async def insert(conn: AsyncConnection, attempts: Collection[Attempt]) -> set[UUID]:
    """Write new attempts; which were written. Not those of who has an open one, or one with this number.

    In one order, so that two who insert the same do not wait for each other in a circle.
    """
    in_order = sorted(attempts, key=lambda attempt: (attempt.student_id, attempt.exam_id))
    columns = {name: [getattr(attempt, name) for attempt in in_order] for name in _BEGINNING}
    columns["status"] = [attempt.status.value for attempt in in_order]
    return set(await conn.scalars(_INSERT, columns))


async def resume(conn: AsyncConnection, student_id: UUID, exam_id: UUID) -> tuple[Attempt, float] | None:
    """Count a resume of the attempt in progress; None where there is none with time left.

    With the attempt, the seconds since its last sign of life before.
    """
    row = (await conn.execute(_RESUME, {"student_id": student_id, "exam_id": exam_id})).one_or_none()
    return None if row is None else (attempt_of(row), max(0.0, row.gap))


async def answers_of(
    conn: AsyncConnection, keys: Collection[AttemptKey]
) -> dict[AttemptKey, list[StoredAnswer]]:
    """All answers of these attempts, cleared ones too."""
    found: dict[AttemptKey, list[StoredAnswer]] = {key: [] for key in keys}
    for row in await conn.execute(_ANSWERS, _pairs(keys)):
        student_id, attempt_id, *answer = row
        found[student_id, attempt_id].append(StoredAnswer(*answer))
    return found


async def shuffles_options(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, bool]:
    """Whether options are shuffled, by exam. Fixed from publishing on."""
    rows = await conn.execute(_SHUFFLES, {"exam_ids": list(exam_ids)})
    return {row.id: row.shuffle_options for row in rows}


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
    values = {
        "digests": [closing.answers_digest for closing in closings],
        "counts": [closing.answer_count for closing in closings],
        "status": status.value,
        "reason": reason,
        "announce_after": announce_after,
    }
    keys = [(closing.attempt.student_id, closing.attempt.id) for closing in closings]
    closed = await _all(conn, _CLOSE, values | _pairs(keys))
    return {attempt.id: attempt for attempt in closed}


async def lock_running(
    conn: AsyncConnection,
    *,
    student_id: UUID | None = None,
    exam_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 1000,
) -> list[Attempt]:
    """Open attempts of a student, of an exam, or both, locked in id order, from after this id on."""
    values = {"student_id": student_id, "exam_id": exam_id, "after": after}
    conditions = [_RUNNING_BY[name] for name, value in values.items() if value is not None]
    query = sa.text(" AND ".join([_RUNNING, *conditions]) + _IN_ID_ORDER)
    given = {name: value for name, value in values.items() if value is not None}
    return await _all(conn, query, given | {"most": limit})


async def set_deadlines(conn: AsyncConnection, moved: Sequence[tuple[Attempt, Deadline]]) -> None:
    """New deadlines, each one version on. The caller holds the locks."""
    if moved:
        values = {
            "deadlines": [deadline.at for _, deadline in moved],
            "reasons": [deadline.reason for _, deadline in moved],
        }
        keys = [(attempt.student_id, attempt.id) for attempt, _ in moved]
        await conn.execute(_SET_DEADLINES, values | _pairs(keys))


async def grant(conn: AsyncConnection, exam_id: UUID, minutes: int) -> dict[UUID, int]:
    """Add minutes to all attempts under way at an exam; by attempt how many it has now.

    Their deadlines stay: the caller computes them anew, and holds off starts.
    """
    rows = await conn.execute(_GRANT, {"exam_id": exam_id, "minutes": minutes})
    return {row.id: row.granted_minutes for row in rows}


async def exams_under_way(conn: AsyncConnection) -> list[UUID]:
    """The exams that somebody sits, by the rows: also past the deadline, while nobody has closed it."""
    query = sa.text("SELECT DISTINCT exam_id FROM student_exams WHERE status IN ('in_progress', 'paused')")
    return list(await conn.scalars(query))


class KnownAttempts:
    """Which exam an attempt of a student is at: it never changes, so `size` of them are remembered."""

    def __init__(self, size: int = 200_000) -> None:
        self._size = size
        # By numbers: a UUID computes its hash in Python, each time.
        self._exams: OrderedDict[tuple[int, int], UUID] = OrderedDict()

    def get(self, key: AttemptKey) -> UUID | None:
        student, attempt = key
        numbers = (student.int, attempt.int)
        exam_id = self._exams.get(numbers)
        if exam_id is not None:
            self._exams.move_to_end(numbers)
        return exam_id

    async def read(self, conn: AsyncConnection, keys: Collection[AttemptKey]) -> dict[AttemptKey, UUID]:
        """Those of these attempts that are there, and theirs. What isn't there may be one day: not kept."""
        found = {(row.student_id, row.id): row.exam_id for row in await conn.execute(_EXAMS, _pairs(keys))}
        self.remember(found)
        return found

    def remember(self, exams: Mapping[AttemptKey, UUID]) -> None:
        """Attempts that are committed, and the exam of each."""
        self._exams.update({(student.int, attempt.int): exam for (student, attempt), exam in exams.items()})
        while len(self._exams) > self._size:
            self._exams.popitem(last=False)


async def _one(conn: AsyncConnection, query: sa.TextClause, values: Mapping[str, Any]) -> Attempt | None:
    row = (await conn.execute(query, values)).one_or_none()
    return None if row is None else attempt_of(row)


async def _all(conn: AsyncConnection, query: sa.TextClause, values: Mapping[str, Any]) -> list[Attempt]:
    return [attempt_of(row) for row in await conn.execute(query, values)]


def _pairs(keys: Collection[AttemptKey]) -> dict[str, Any]:
    return {"students": [student for student, _ in keys], "ids": [attempt for _, attempt in keys]}


def attempt_of(row: Any) -> Attempt:
    """From a row that begins with FIELDS."""
    values = dict(zip(FIELDS, row, strict=False))
    return Attempt(**values | {"status": Status(values["status"]), "seed": bytes(values["seed"])})
