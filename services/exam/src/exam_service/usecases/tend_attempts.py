"""What the workers do for attempts: close what nobody submitted, and announce what got no grade."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from examkit.db import Database, DatabaseAway, Tx
from examkit.pauses import Pauses

from exam_service import metrics
from exam_service.domain.attempt import LATE_ARRIVALS, Attempt, Status
from exam_service.repository import deadlines_due, grades, overdue
from exam_service.repository.papers import PaperCache
from exam_service.usecases.close_attempt import (
    ANNOUNCE_AGAIN_SECONDS,
    ATTEMPT_CLOSED,
    announce,
    close_attempts,
)

BATCH = 100
LONGEST_PAUSE_SECONDS = 3600.0
_LATE = LATE_ARRIVALS.total_seconds()

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Aside:
    """What a worker could not close, and leaves alone for a while: attempts, and exams without a paper."""

    attempts: Pauses[UUID] = field(default_factory=Pauses)
    exams: Pauses[UUID] = field(default_factory=Pauses)
    clock: Callable[[], float] = time.monotonic


async def close_overdue(
    db: Database, papers: PaperCache, batch: int = BATCH, aside: Aside | None = None
) -> int:
    """Close, as expired, a batch of attempts past deadline, grace and late arrivals; how many it was.

    Several workers share the work: each passes over what another one holds. An attempt that can't be closed
    is set `aside`, and does not keep the others from it. Raises DatabaseAway.
    """
    aside = aside or Aside()
    async with db.reading() as conn:
        due = await overdue.exams(conn)
        # Their attempts may have more time than their rows say.
        behind = await deadlines_due.behind(conn, 0.0)
    resting = aside.exams.resting(aside.clock())
    for exam_id in await _unreadable(papers, [exam_id for exam_id in due if exam_id not in resting]):
        aside.exams.failed(exam_id, aside.clock())
    try:
        return await _close_batch(db, papers, batch, aside, behind)
    except DatabaseAway:
        raise
    except Exception:
        log.exception("sweep_failed_as_a_batch")
    return await _close_one_by_one(db, papers, batch, aside, behind)


async def _close_batch(
    db: Database, papers: PaperCache, batch: int, aside: Aside, behind: Collection[UUID]
) -> int:
    now = aside.clock()
    without, without_exams = aside.attempts.resting(now), aside.exams.resting(now).union(behind)
    async with db.transaction() as tx:
        due = await overdue.lock(tx.conn, _LATE, batch, without=without, without_exams=without_exams)
        await close_attempts(tx, papers, due, Status.EXPIRED)
    return len(due)


async def _close_one_by_one(
    db: Database, papers: PaperCache, batch: int, aside: Aside, behind: Collection[UUID]
) -> int:
    now = aside.clock()
    without, without_exams = aside.attempts.resting(now), aside.exams.resting(now).union(behind)
    async with db.reading() as conn:
        due = await overdue.ids(conn, _LATE, batch, without=without, without_exams=without_exams)
    closed = 0
    for attempt_id in due:
        try:
            async with db.transaction() as tx:
                alone = await overdue.lock_one(tx.conn, _LATE, attempt_id)
                await close_attempts(tx, papers, alone, Status.EXPIRED)
            closed += len(alone)
        except DatabaseAway:
            raise
        except Exception:
            log.exception("attempt_not_closed", student_exam_id=str(attempt_id))
            aside.attempts.failed(attempt_id, aside.clock())
    return closed


async def announce_ungraded(db: Database, papers: PaperCache, batch: int = BATCH) -> int:
    """Send AttemptClosed again of attempts that should have a grade by now; how many it was.

    Not of those whose event still lies in the outbox. Each time the next one waits twice as long, also where
    it could not be sent. Raises DatabaseAway.
    """
    async with db.reading() as conn:
        due = await grades.exams_unannounced(conn)
    unreadable = await _unreadable(papers, due)
    try:
        return await _announce(db, papers, batch, unreadable)
    except DatabaseAway:
        raise
    except Exception:
        log.exception("announcing_failed_as_a_batch")
    async with db.reading() as conn:
        ids = await grades.unannounced_ids(conn, ATTEMPT_CLOSED, batch)
    sent = 0
    for attempt_id in ids:
        try:
            sent += await _announce(db, papers, 1, unreadable, attempt_id)
        except DatabaseAway:
            raise
        except Exception:
            log.exception("attempt_not_announced", student_exam_id=str(attempt_id))
            async with db.transaction() as tx:
                await _put_off(tx, await grades.lock_unannounced(tx.conn, ATTEMPT_CLOSED, 1, attempt_id))
    return sent


async def _announce(
    db: Database, papers: PaperCache, batch: int, unreadable: Collection[UUID], only: UUID | None = None
) -> int:
    async with db.transaction() as tx:
        ungraded = await grades.lock_unannounced(tx.conn, ATTEMPT_CLOSED, batch, only)
        readable = [attempt for attempt in ungraded if attempt.exam_id not in unreadable]
        await announce(tx, papers, readable)
        await _put_off(tx, ungraded)
    metrics.announced_again.inc(len(readable))
    return len(readable)


async def _put_off(tx: Tx, attempts: Collection[Attempt]) -> None:
    keys = [(attempt.student_id, attempt.id) for attempt in attempts]
    await grades.announced(tx.conn, keys, ANNOUNCE_AGAIN_SECONDS, LONGEST_PAUSE_SECONDS)


async def _unreadable(papers: PaperCache, exam_ids: Collection[UUID]) -> set[UUID]:
    """Read the papers before the transaction; of which exams they can't be read. Raises DatabaseAway.

    None that waits for a second connection may hold a first.
    """
    failed = set()
    for exam_id in exam_ids:
        try:
            await papers.get(exam_id)
        except DatabaseAway:
            raise
        except Exception:
            log.exception("paper_not_read", exam_id=str(exam_id))
            failed.add(exam_id)
    return failed


async def measure(db: Database) -> None:
    """Bring the gauges up to date: attempts in progress, how late the sweeper is, what has no grade."""
    async with db.reading() as conn:
        found = await grades.measure(conn, _LATE)
    metrics.active_attempts.set(found.active)
    metrics.sweeper_lag.set(found.lag)
    metrics.ungraded.set(found.ungraded)
    metrics.oldest_ungraded.set(found.oldest)
