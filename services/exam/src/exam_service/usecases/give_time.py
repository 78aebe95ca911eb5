"""Giving everyone who sits an exam minutes on top of all else: what an outage took from them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import FieldError

from exam_service import errors
from exam_service.domain.attempt import Attempt
from exam_service.domain.intervening import Action
from exam_service.repository import attempts, exams
from exam_service.repository.audit import insert_entries
from exam_service.repository.interventions import Done, insert_history
from exam_service.usecases.actor import Actor
from exam_service.usecases.deadlines import recompute_exam
from exam_service.usecases.exam_events import publish_exam_changed

MOST_MINUTES = 600
_AT_ONCE = 1000


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
            before = await _running(tx, exam_id)
            granted = await attempts.grant(tx.conn, exam_id, minutes)
            if granted:
                await recompute_exam(tx, exam_id)
                await insert_entries(tx.conn, [*_entries(actor, granted, minutes, reason)])
                await _keep(tx, actor, before, minutes, reason)
                await publish_exam_changed(tx, exam_id)
        return len(granted)

    return await run()


async def _running(tx: Tx, exam_id: UUID) -> list[Attempt]:
    """All attempts under way at the exam, locked in id order."""
    found: list[Attempt] = []
    while True:
        after = found[-1].id if found else None
        page = await attempts.lock_running(tx.conn, exam_id=exam_id, after=after, limit=_AT_ONCE)
        found += page
        if len(page) < _AT_ONCE:
            return found


async def _keep(tx: Tx, actor: Actor, before: Sequence[Attempt], minutes: int, reason: str) -> None:
    """In the history of each, as any extension."""
    now = await attempts.now(tx.conn)
    for start in range(0, len(before), _AT_ONCE):
        done = [
            Done(Action.EXTENDED.value, one, _extended(one, minutes), now)
            for one in before[start : start + _AT_ONCE]
        ]
        await insert_history(tx.conn, done, reason=reason, actor_kind=actor.kind, actor_id=actor.id)


def _extended(attempt: Attempt, minutes: int) -> Attempt:
    return replace(
        attempt,
        granted_minutes=attempt.granted_minutes + minutes,
        deadline=attempt.deadline + timedelta(minutes=minutes),
        deadline_version=attempt.deadline_version + 1,
    )


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
