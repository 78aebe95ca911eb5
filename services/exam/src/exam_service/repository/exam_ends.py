"""What decides until when an exam may be sat: accommodations and the attempts under way."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

# An exam's accommodation goes before the person's own as a whole (domain/deadline.py). Who belongs to a
# group only tokens tell, so that with groups on the roster everybody's accommodation counts.
_ENDS = sa.text(
    """
    SELECT e.id,
           (SELECT max(coalesce(a.end_time,
                                e.end_time + e.duration_minutes * interval '1 minute'
                                             * a.extra_time_percent / 100.0))
            FROM accommodations a
            WHERE (a.exam_id = e.id
                   OR a.exam_id IS NULL
                      AND NOT EXISTS (SELECT FROM accommodations own
                                      WHERE own.student_id = a.student_id AND own.exam_id = e.id))
                  AND (e.roster_all OR cardinality(e.roster_groups) > 0
                       OR EXISTS (SELECT FROM roster_students r
                                  WHERE r.student_id = a.student_id AND r.exam_id = e.id))
           ) AS accommodated_end,
           (SELECT max(s.deadline + s.grace_seconds * interval '1 second')
            FROM student_exams s
            WHERE s.exam_id = e.id AND s.status IN ('in_progress', 'paused')) AS running_end,
           EXISTS (SELECT FROM student_exams s WHERE s.exam_id = e.id AND s.status = 'paused') AS paused
    FROM exams e
    WHERE e.id = ANY (CAST(:exam_ids AS uuid[]))
    """
).columns(accommodated_end=sa.DateTime(timezone=True), running_end=sa.DateTime(timezone=True))


class Ends(NamedTuple):
    """The latest end that an accommodation gives, the latest of a running attempt with its grace, and
    whether one is paused.
    """

    accommodated: datetime | None
    running: datetime | None
    paused: bool = False


async def ends(conn: AsyncConnection, exam_ids: Collection[UUID]) -> dict[UUID, Ends]:
    """Those of these exams that are there, by id."""
    rows = await conn.execute(_ENDS, {"exam_ids": list(exam_ids)})
    return {row.id: Ends(row.accommodated_end, row.running_end, row.paused) for row in rows}
