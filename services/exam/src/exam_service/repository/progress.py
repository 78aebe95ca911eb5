"""How far those who sit an exam are: one page of attempts at a time, for the monitor.

The attempts come by the index on (exam_id, id); answers and events are looked at by their primary keys, and
only those of the rows that are given. `since` leaves out what did not change: a save moves `last_activity`,
all else `changed_at`, and neither is in an index, so that no save pays for being watched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.attempt import Attempt, Status, status_by_clock
from exam_service.domain.integrity import FLAGS
from exam_service.repository.attempts import FIELDS, attempt_of

QUIET_SECONDS = 90
"""Without a sign of life for so long, one who sits an exam counts as quiet."""

PAGE = sa.text(
    f"""
    SELECT {", ".join(f"attempt.{name}" for name in FIELDS)}, saved.answered, saved.last_save_at,
           noticed.flags, clock_timestamp() AS now
    FROM student_exams AS attempt
         CROSS JOIN LATERAL (
             SELECT count(*) FILTER (WHERE jsonb_typeof(kept.answer) <> 'null') AS answered,
                    max(kept.saved_at) AS last_save_at
             FROM student_answers AS kept
             WHERE kept.student_id = attempt.student_id AND kept.student_exam_id = attempt.id
         ) AS saved
         CROSS JOIN LATERAL (
             SELECT jsonb_object_agg(kind, times) AS flags
             FROM (SELECT kind, count(*) AS times FROM integrity_events AS event
                   WHERE event.student_id = attempt.student_id AND event.student_exam_id = attempt.id
                         AND event.kind IN ({", ".join(f"'{kind}'" for kind in FLAGS)})
                   GROUP BY kind) AS counted
         ) AS noticed
    WHERE attempt.exam_id = :exam_id AND (CAST(:after AS uuid) IS NULL OR attempt.id > :after)
          AND (CAST(:since AS timestamptz) IS NULL
               OR greatest(attempt.last_activity, attempt.changed_at) > :since)
    ORDER BY attempt.id LIMIT :most
    """  # noqa: S608 - names of ours
)


@dataclass(frozen=True, slots=True)
class Progress:
    """An attempt as the monitor shows it. `flags`: how many events of each kind its page reported."""

    attempt: Attempt
    answered: int
    last_save_at: datetime | None
    flags: Mapping[str, int]
    now: datetime

    @property
    def status(self) -> Status:
        return status_by_clock(self.attempt.status, self.attempt.deadline, self.now)

    @property
    def is_quiet(self) -> bool:
        silent = (self.now - self.attempt.last_activity).total_seconds()
        return self.status is Status.IN_PROGRESS and silent > QUIET_SECONDS


async def page(
    conn: AsyncConnection, exam_id: UUID, *, after: UUID | None, since: datetime | None, limit: int
) -> Sequence[Progress]:
    """Attempts at the exam by id, behind this one; `since`: those alone that changed after this moment."""
    values = {"exam_id": exam_id, "after": after, "since": since, "most": limit}
    width = len(FIELDS)
    return [
        Progress(attempt_of(row), row[width], row[width + 1], row[width + 2] or {}, row[width + 3])
        for row in await conn.execute(PAGE, values)
    ]
