"""Letting students see the results of an exam whose policy is `manual`."""

from datetime import datetime
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database
from examkit.errors import not_found
from examkit.events import Event
from examprotos.grading.v1 import events_pb2

from grading_service.repository import policies

RELEASED = "examhall.grading.result.released.v1"


async def release_results(db: Database, exam_id: UUID, actor_id: UUID, now: datetime) -> datetime:
    """The moment of release; a second one changes nothing. Raises: not_found."""
    async with db.transaction() as tx:
        released = await policies.release(tx.conn, exam_id, now)
        if released is None:
            raise not_found("There is no published exam of this id.")
        moment, is_new = released
        if is_new:
            message = events_pb2.ResultReleased(exam_id=str(exam_id))
            message.released_at.FromDatetime(moment)
            tx.publish(Event(type=RELEASED, subject=str(exam_id), message=message))
            entry = AuditEntry(
                actor_id=actor_id, action="results.released", object_type="exam", object_id=exam_id
            )
            await tx.audit(entry)
    return moment
