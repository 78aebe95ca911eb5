"""Telling others of an exam: the event, and until when it may be sat."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from examkit.db import Tx
from examkit.events import Event
from examprotos.exam.v1 import events_pb2
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import words
from exam_service.domain.last_end import last_possible_end
from exam_service.repository import exam_ends, exams
from exam_service.repository.exams import ExamRow

EXAM_CHANGED = "examhall.exam.exam.changed.v1"


async def publish_exam_changed(tx: Tx, exam_id: UUID) -> None:
    """Publish what the exam is now, under the next version. Nothing for a draft, which nobody knows of.

    For every change of a published exam, and of what moves its last possible end: accommodations and the
    deadlines of running attempts. Locks the exam: a transaction that also locks attempts locks the exam
    before them.
    """
    exam = await exams.get_exam(tx.conn, exam_id, lock="update")
    if exam is None or exam.status == "draft":
        return
    exam = await exams.next_version(tx.conn, exam_id)
    message = events_pb2.ExamChanged(
        exam_id=str(exam.id),
        version=exam.version,
        status=words.EXAM_STATUS.number(exam.status),
        title=exam.settings.title,
        result_policy=words.RESULT_POLICY.number(exam.settings.result_policy),
        reveal=words.REVEAL.number(exam.settings.reveal),
    )
    end = await read_last_possible_end(tx.conn, exam)
    if end is not None:
        message.last_possible_end.FromDatetime(end)
    if exam.settings.end_time is not None:
        message.end_time.FromDatetime(exam.settings.end_time)
    tx.publish(Event(EXAM_CHANGED, str(exam.id), message))


async def read_last_possible_end(conn: AsyncConnection, exam: ExamRow) -> datetime | None:
    """The latest moment at which anybody may still sit the exam, grace included; None: without end."""
    return _last_possible_end(exam, (await exam_ends.ends(conn, [exam.id]))[exam.id])


async def read_last_possible_ends(
    conn: AsyncConnection, exam_ids: Collection[UUID]
) -> dict[UUID, datetime | None]:
    """The same for several exams, by id."""
    ends = await exam_ends.ends(conn, exam_ids)
    found = await exams.get_exams(conn, exam_ids)
    return {exam.id: _last_possible_end(exam, ends[exam.id]) for exam in found.values()}


def _last_possible_end(exam: ExamRow, ends: exam_ends.Ends) -> datetime | None:
    return last_possible_end(
        closed_at=exam.closed_at if exam.status == "closed" else None,
        end_time=exam.settings.end_time,
        grace_seconds=exam.settings.grace_seconds,
        accommodated_end=ends.accommodated,
        running_end=ends.running,
        paused=ends.paused,
    )
