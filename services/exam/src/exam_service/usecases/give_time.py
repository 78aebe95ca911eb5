"""Giving everyone who sits an exam minutes on top of all else: what an outage took from them."""

from collections.abc import Iterator
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database, retry_deadlocks
from examkit.errors import FieldError

from exam_service import errors
from exam_service.repository import attempts, exams
from exam_service.repository.audit import insert_entries
from exam_service.usecases.actor import Actor
from exam_service.usecases.deadlines import recompute_exam
from exam_service.usecases.exam_events import publish_exam_changed

MOST_MINUTES = 600


async def give_time(db: Database, actor: Actor, exam_id: UUID, minutes: int, reason: str) -> int:
    """Move the deadlines of all attempts under way at an exam, each with its audit; how many it was.

    An attempt whose time is up goes on if nobody has closed it yet. Raises invalid, not_found.
    """
    wrong = list(problems(minutes, reason))
    if wrong:
        raise errors.invalid_fields(wrong)

    @retry_deadlocks
    async def run() -> int:
        async with db.transaction() as tx:
            if await exams.get_exam(tx.conn, exam_id, lock="update") is None:
                raise errors.no_such_exam()
            await attempts.change_alone(tx.conn, "exam", exam_id)
            granted = await attempts.grant(tx.conn, exam_id, minutes)
            if granted:
                await recompute_exam(tx, exam_id)
                await insert_entries(tx.conn, [*_entries(actor, granted, minutes, reason)])
                await publish_exam_changed(tx, exam_id)
        return len(granted)

    return await run()


def problems(minutes: int, reason: str) -> Iterator[FieldError]:
    """Everything that is wrong, located by field."""
    if not 1 <= minutes <= MOST_MINUTES:
        yield FieldError(("minutes",), f"must be a whole number from 1 to {MOST_MINUTES}")
    if not reason.strip():
        yield FieldError(("reason",), "must say why")


def _entries(actor: Actor, granted: dict[UUID, int], minutes: int, reason: str) -> Iterator[AuditEntry]:
    for attempt_id, total in granted.items():
        yield actor.did(
            "attempt.extended",
            "attempt",
            attempt_id,
            before={"granted_minutes": total - minutes},
            after={"granted_minutes": total},
            reason=reason,
        )
