"""The statement that saves answers: locks, judges, writes and tells, for many students at once.

What makes an acknowledged save part of what is graded is the lock on the attempt: every save and every close
takes it first, so that they follow each other. Locks are taken in id order, so that none waits in a circle.
Whatever is written is keyed by student, attempt and question: a save can't ride on another's ownership.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.answer import Answer, canonical
from exam_service.domain.attempt import LATE_ARRIVALS
from exam_service.domain.revision import MAX_REVISION
from exam_service.domain.saving import AttemptClock, NewAnswer, Save, StoredAnswer

SET_ASIDE = "set_aside"
"""The fault of a save that is to come again: its attempt was held by somebody else."""

_MOST_ELAPSED_SECONDS = LATE_ARRIVALS.total_seconds()

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
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), judged AS MATERIALIZED (
        SELECT save.n, held.*, CASE
            WHEN held.id IS NULL THEN '{SET_ASIDE}'
            WHEN held.status = 'submitted' THEN 'already_submitted'
            WHEN held.status = 'expired' THEN 'time_limit_exceeded'
            WHEN held.status = 'void' THEN 'attempt_void'
            WHEN held.status = 'paused' THEN 'attempt_paused'
            WHEN now() - make_interval(secs => save.elapsed_ms / 1000.0) > held.deadline
                 + make_interval(secs => CASE WHEN save.closing THEN held.grace_seconds ELSE 0 END)
            THEN 'time_limit_exceeded' END AS fault
        FROM save LEFT JOIN held ON held.student_id = save.student_id AND held.id = save.attempt_id
    ), sent AS MATERIALIZED (
        SELECT judged.n, sent.place, judged.student_id, judged.id AS student_exam_id, sent.question_id,
               CAST(sent.answer AS jsonb) AS answer, sent.revision
        FROM unnest(CAST(:answer_numbers AS int[]), CAST(:places AS int[]), CAST(:questions AS uuid[]),
                    CAST(:answers AS text[]), CAST(:revisions AS bigint[]))
                  AS sent (n, place, question_id, answer, revision)
             JOIN judged ON judged.n = sent.n
        WHERE judged.fault IS NULL
    ), written AS (
        INSERT INTO student_answers AS kept
            (student_id, student_exam_id, question_id, answer, revision, own_revision, saved_at)
        SELECT student_id, student_exam_id, question_id, answer, coalesce(revision, 1), revision IS NOT NULL,
               now()
        FROM sent
        ON CONFLICT (student_id, student_exam_id, question_id) DO UPDATE
        SET answer = excluded.answer, own_revision = excluded.own_revision, saved_at = excluded.saved_at,
            revision = CASE WHEN excluded.own_revision THEN excluded.revision ELSE kept.revision + 1 END
        WHERE CASE WHEN excluded.own_revision THEN excluded.revision > kept.revision
                   ELSE kept.revision < {MAX_REVISION} END
        RETURNING student_id, student_exam_id, question_id, revision
    ), touched AS (
        UPDATE student_exams SET last_activity = now() FROM judged
        WHERE judged.fault IS NULL
              AND student_exams.student_id = judged.student_id AND student_exams.id = judged.id
    )
    SELECT judged.n, judged.fault, judged.deadline, judged.deadline_version, judged.deadline_reason,
           (SELECT clock_timestamp()) AS server_time, now() AS saved_at, applied.places, applied.revisions
    FROM judged LEFT JOIN (
        SELECT sent.n, array_agg(sent.place) AS places, array_agg(written.revision) AS revisions
        FROM written JOIN sent USING (student_id, student_exam_id, question_id)
        GROUP BY sent.n
    ) AS applied ON applied.n = judged.n
    """  # noqa: S608 - constants of ours
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


class Judged(Struct, frozen=True):
    """What the statement says of one save. `fault`: a code, and then nothing of it was written.

    `applied`: the revision of each of its answers that was written, by position.
    """

    fault: str | None
    clock: AttemptClock | None
    saved_at: datetime
    applied: Mapping[int, int]


async def write(
    conn: AsyncConnection,
    saves: Sequence[Save],
    answers: Sequence[tuple[int, int, NewAnswer]],
) -> list[Judged]:
    """Judge every save and write its answers, in one statement. The attempts stay locked until the commit.

    `answers`: (number of the save, position in it, answer), each (attempt, question) at most once. No lock is
    waited for: `SET_ASIDE` is the fault of an attempt that somebody else holds, or that is not there.
    """
    now = time.monotonic()
    rows = await conn.execute(
        _WRITE,
        {
            "numbers": _array([str(number) for number in range(len(saves))]),
            "students": _array([save.student_id.hex for save in saves]),
            "attempts": _array([save.attempt_id.hex for save in saves]),
            "elapsed_ms": _array([_elapsed_ms(save, now) for save in saves]),
            "closing": _array(["t" if save.closing else "f" for save in saves]),
            "answer_numbers": _array([str(number) for number, _, _ in answers]),
            "places": _array([str(place) for _, place, _ in answers]),
            "questions": _array([answer.question_id.hex for _, _, answer in answers]),
            "answers": _array([_quoted(canonical(answer.answer).decode()) for _, _, answer in answers]),
            "revisions": _array(
                ["NULL" if answer.revision is None else str(answer.revision) for _, _, answer in answers]
            ),
        },
    )
    judged = {row[0]: _judged(row) for row in rows}
    return [judged[number] for number in range(len(saves))]


def _elapsed_ms(save: Save, now: float) -> str:
    return str(int(1000 * min(max(now - save.arrived, 0.0), _MOST_ELAPSED_SECONDS)))


def _array(elements: Iterable[str]) -> str:
    """The literal of an array: the driver looks at each element for itself, and takes ten times as long."""
    return "{" + ",".join(elements) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


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


def _judged(row: Any) -> Judged:
    _, fault, deadline, version, reason, server_time, saved_at, places, revisions = row
    clock = None if deadline is None else AttemptClock(deadline, version, reason, server_time)
    return Judged(fault, clock, saved_at, dict(zip(places, revisions, strict=True)) if places else {})
