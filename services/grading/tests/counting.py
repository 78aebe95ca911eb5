"""Counts what grading an attempt has left behind."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa
from examkit.db import Database
from examprotos.grading.v1 import events_pb2
from grading_service.usecases.grade_attempts import GRADED, ClosedAttempt

_ROWS = sa.text(
    """
    SELECT (SELECT count(*) FROM grades WHERE student_exam_id = :attempt),
           (SELECT count(*) FROM grade_items WHERE student_exam_id = :attempt),
           (SELECT count(*) FROM student_views WHERE student_exam_id = :attempt)
    """
)
_EVENTS = sa.text("SELECT body FROM outbox WHERE type = :type AND subject = :subject")


class Left(NamedTuple):
    """Rows of one attempt, and how often its grade was published, by the version that was graded."""

    grades: int
    items: int
    views: int
    told: Mapping[int, int]


def once(*versions: int, items: int = 6) -> Left:
    """What an attempt leaves that was graded once in each of these versions, and told of once."""
    return Left(1, items, 1, dict.fromkeys(versions, 1))


async def left(db: Database, closed: ClosedAttempt) -> Left:
    subject = str(closed.student_exam_id)
    async with db.reading() as conn:
        rows = (await conn.execute(_ROWS, {"attempt": closed.student_exam_id})).one()
        bodies = (await conn.execute(_EVENTS, {"type": GRADED, "subject": subject})).scalars()
        told = Counter(events_pb2.AttemptGraded.FromString(body).attempt_version for body in bodies)
    return Left(*rows, told)
