"""The statement that saves answers: locks, judges, writes and tells, for many students at once.

What makes an acknowledged save part of what is graded is the lock on the attempt: every save and every close
takes it first, so that they follow each other. Locks are taken in id order, so that none waits in a circle.
Whatever is written is keyed by student, attempt and question: a save can't ride on another's ownership.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.answer import Answer, canonical
from exam_service.domain.attempt import LATE_ARRIVALS
from exam_service.domain.revision import MAX_REVISION
from exam_service.domain.saving import AttemptClock, NewAnswer, Save, StoredAnswer

Key = tuple[UUID, UUID, UUID]
"""(student, attempt, question)"""

# now() is when the transaction began, not when the lock was had: who waits for a lock is not late by it.
# The upsert compares with the row as it is under the lock, not as this statement's snapshot has it.
_WRITE = sa.text(
    f"""
    WITH save AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:numbers AS int[]), CAST(:students AS uuid[]), CAST(:attempts AS uuid[]),
                             CAST(:elapsed_ms AS int[]), CAST(:closing AS boolean[]))
                      AS save (n, student_id, attempt_id, elapsed_ms, closing)
    ), held AS MATERIALIZED (
        SELECT student_id, id, status, deadline, deadline_version, deadline_reason, grace_seconds
        FROM student_exams
        WHERE (student_id, id) IN (SELECT student_id, attempt_id FROM save)
        ORDER BY id FOR NO KEY UPDATE
    ), judged AS MATERIALIZED (
        SELECT save.n, held.*, CASE
            WHEN held.id IS NULL THEN 'not_found'
            WHEN held.status = 'submitted' THEN 'already_submitted'
            WHEN held.status = 'expired' THEN 'time_limit_exceeded'
            WHEN held.status = 'void' THEN 'attempt_void'
            WHEN held.status = 'paused' THEN 'attempt_paused'
            WHEN now() - make_interval(secs => save.elapsed_ms / 1000.0) > held.deadline
                 + make_interval(secs => CASE WHEN save.closing THEN held.grace_seconds ELSE 0 END)
            THEN 'time_limit_exceeded' END AS fault
        FROM save LEFT JOIN held ON held.student_id = save.student_id AND held.id = save.attempt_id
    ), written AS (
        INSERT INTO student_answers AS kept
            (student_id, student_exam_id, question_id, answer, revision, own_revision, saved_at)
        SELECT judged.student_id, judged.id, sent.question_id, CAST(sent.answer AS jsonb),
               coalesce(sent.revision, 1), sent.revision IS NOT NULL, now()
        FROM unnest(CAST(:answer_numbers AS int[]), CAST(:questions AS uuid[]), CAST(:answers AS text[]),
                    CAST(:revisions AS bigint[])) AS sent (n, question_id, answer, revision)
             JOIN judged ON judged.n = sent.n
        WHERE judged.fault IS NULL
        ON CONFLICT (student_id, student_exam_id, question_id) DO UPDATE
        SET answer = excluded.answer, own_revision = excluded.own_revision, saved_at = excluded.saved_at,
            revision = CASE WHEN excluded.own_revision THEN excluded.revision ELSE kept.revision + 1 END
        WHERE CASE WHEN excluded.own_revision THEN excluded.revision > kept.revision
                   ELSE kept.revision < {MAX_REVISION} END
        RETURNING student_exam_id, question_id, revision
    ), touched AS (
        UPDATE student_exams SET last_activity = now() FROM judged
        WHERE judged.fault IS NULL
              AND student_exams.student_id = judged.student_id AND student_exams.id = judged.id
    )
    SELECT judged.n, judged.fault, judged.deadline, judged.deadline_version, judged.deadline_reason,
           clock_timestamp() AS server_time, now() AS saved_at, applied.questions, applied.revisions
    FROM judged LEFT JOIN (
        SELECT student_exam_id, array_agg(question_id) AS questions, array_agg(revision) AS revisions
        FROM written GROUP BY student_exam_id
    ) AS applied ON applied.student_exam_id = judged.id
    """  # noqa: S608 - a constant of ours
)

_CURRENT = sa.text(
    """
    SELECT kept.student_id, kept.student_exam_id, kept.question_id, kept.answer, kept.revision, kept.saved_at
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[]), CAST(:questions AS uuid[]))
         AS asked (student_id, attempt_id, question_id)
         JOIN student_answers AS kept ON kept.student_id = asked.student_id
              AND kept.student_exam_id = asked.attempt_id AND kept.question_id = asked.question_id
    """
)

_REPLACE = sa.text(
    """
    INSERT INTO student_answers
        (student_id, student_exam_id, question_id, answer, revision, own_revision, saved_at)
    SELECT student_id, attempt_id, question_id, CAST(answer AS jsonb), revision, true, now()
    FROM unnest(CAST(:students AS uuid[]), CAST(:attempts AS uuid[]), CAST(:questions AS uuid[]),
                CAST(:answers AS text[]), CAST(:revisions AS bigint[]))
         AS newer (student_id, attempt_id, question_id, answer, revision)
    ON CONFLICT (student_id, student_exam_id, question_id) DO UPDATE
    SET answer = excluded.answer, revision = excluded.revision, own_revision = true,
        saved_at = excluded.saved_at
    """
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the statement says of one save. `fault`: a code, and then nothing of it was written.

    `applied`: the revision of each question of the attempt that was written, by whichever save.
    """

    fault: str | None
    clock: AttemptClock | None
    saved_at: datetime
    applied: Mapping[UUID, int]


async def write(
    conn: AsyncConnection, saves: Sequence[Save], answers: Sequence[tuple[int, NewAnswer]]
) -> list[Judged]:
    """Judge every save and write its answers, in one statement. The attempts stay locked until the commit.

    `answers`: (position of the save, answer), each (attempt, question) at most once.
    """
    now = time.monotonic()
    most = LATE_ARRIVALS.total_seconds()
    rows = await conn.execute(
        _WRITE,
        {
            "numbers": list(range(len(saves))),
            "students": [save.student_id for save in saves],
            "attempts": [save.attempt_id for save in saves],
            "elapsed_ms": [int(1000 * min(max(now - save.arrived, 0.0), most)) for save in saves],
            "closing": [save.closing for save in saves],
            "answer_numbers": [number for number, _ in answers],
            "questions": [answer.question_id for _, answer in answers],
            "answers": [canonical(answer.answer).decode() for _, answer in answers],
            "revisions": [answer.revision for _, answer in answers],
        },
    )
    judged = {row.n: _judged(row) for row in rows}
    return [judged[number] for number in range(len(saves))]


async def current(conn: AsyncConnection, keys: Sequence[Key]) -> dict[Key, StoredAnswer]:
    """What is stored for these. A statement of its own: the one that waited for locks sees the past."""
    if not keys:
        return {}
    rows = await conn.execute(_CURRENT, _columns(keys))
    return {
        (row.student_id, row.student_exam_id, row.question_id): StoredAnswer(
            row.question_id, row.answer, row.revision, row.saved_at
        )
        for row in rows
    }


async def replace(conn: AsyncConnection, newer: Mapping[Key, tuple[Answer, int]]) -> None:
    """Set these answers and revisions. The caller holds the attempts, and has judged."""
    if newer:
        values = {
            "answers": [canonical(answer).decode() for answer, _ in newer.values()],
            "revisions": [revision for _, revision in newer.values()],
        }
        await conn.execute(_REPLACE, _columns(list(newer)) | values)


def _columns(keys: Sequence[Key]) -> dict[str, object]:
    students, attempts, questions = zip(*keys, strict=True)
    return {"students": list(students), "attempts": list(attempts), "questions": list(questions)}


def _judged(row: "sa.Row[tuple[object, ...]]") -> Judged:
    clock = None
    if row.deadline is not None:
        clock = AttemptClock(row.deadline, row.deadline_version, row.deadline_reason, row.server_time)
    applied = dict(zip(row.questions or (), row.revisions or (), strict=True))
    return Judged(row.fault, clock, row.saved_at, applied)
