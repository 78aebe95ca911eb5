"""Keeping what the page reports of itself: hidden tabs, pastes, lost connections."""

from collections.abc import Sequence

from examkit.db import Database
from examkit.errors import invalid
from examkit.ids import parse_uuid
from examkit.principal import Principal

from exam_service import attempt_errors, metrics
from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.integrity import (
    AFTER_CLOSING,
    MAX_PER_ATTEMPT,
    ReportedEvent,
    problems,
    within,
)
from exam_service.repository import attempts, integrity


async def record_events(
    db: Database, principal: Principal, student_exam_id: str, events: Sequence[ReportedEvent]
) -> None:
    """Keep the events of an attempt, also shortly after it closed. Past the most that an attempt may have,
    they are dropped: a page that floods can't fill the disk, and the student is not held up by it.

    Raises not_found, invalid; conflict where the attempt has been over for long.
    """
    attempt_id = parse_uuid(student_exam_id, "attempt")
    wrong = list(problems(events))
    if wrong:
        raise invalid("Some events are wrong: see errors.", *wrong)
    async with db.transaction() as tx:
        attempt = await attempts.get(tx.conn, principal.user_id, attempt_id)
        if attempt is None:
            raise attempt_errors.no_such_attempt()
        now = await attempts.now(tx.conn)
        if attempt.closed_at is not None and now > attempt.closed_at + AFTER_CLOSING:
            raise attempt_errors.fault(_over(attempt))
        room = MAX_PER_ATTEMPT - await integrity.count(tx.conn, attempt.student_id, attempt.id)
        kept = [within(event, attempt.started_at, now) for event in events[: max(room, 0)]]
        await integrity.insert(tx.conn, attempt.student_id, attempt.id, kept)
    for event in kept:
        metrics.integrity_events.labels(event.kind).inc()


def _over(attempt: Attempt) -> str:
    if attempt.status is Status.VOID:
        return "attempt_void"
    return "time_limit_exceeded" if attempt.status is Status.EXPIRED else "already_submitted"
