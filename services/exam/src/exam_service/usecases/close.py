"""Closing an exam: no new starts; what runs runs on."""

from uuid import UUID

import sqlalchemy as sa
from examkit.db import Database, retry_deadlocks

from exam_service import errors
from exam_service.repository import attempts, exams
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_events import publish_exam_changed
from exam_service.usecases.exam_views import ExamView, view_of
from exam_service.usecases.exams import locked


@retry_deadlocks
async def close_exam(db: Database, actor: Actor, exam_id: UUID) -> ExamView:
    """Idempotent. Raises not_found, not_published (409)."""
    async with db.transaction() as tx:
        exam = await locked(tx, exam_id)
        if exam.status == "closed":
            return await view_of(tx.conn, exam)
        if exam.status != "published":
            raise errors.not_published()
        # A start that is under way commits before, and counts as running in the event below.
        await attempts.change_alone(tx.conn, "exam", exam_id)
        exam = await exams.update_exam(
            tx.conn, exam_id, {"status": "closed", "closed_at": sa.func.clock_timestamp()}
        )
        await publish_exam_changed(tx, exam_id)
        await tx.audit(
            actor.did(
                "exam.closed", "exam", exam_id, before={"status": "published"}, after={"status": "closed"}
            )
        )
        return await view_of(tx.conn, exam)
