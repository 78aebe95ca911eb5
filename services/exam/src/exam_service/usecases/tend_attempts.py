"""What the workers do for attempts: close what nobody submitted, and announce what got no grade."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from examkit.db import Database
from examkit.errors import AppError
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import metrics
from exam_service.domain.attempt import LATE_ARRIVALS, Status
from exam_service.repository import attempts, grades
from exam_service.repository.papers import PaperCache
from exam_service.usecases.close_attempt import ANNOUNCE_AGAIN_SECONDS, announce, close_attempts

BATCH = 100
LONGEST_PAUSE_SECONDS = 3600.0


log = structlog.get_logger(__name__)


async def close_overdue(db: Database, papers: PaperCache, batch: int = BATCH) -> int:
    """Close, as expired, a batch of attempts past deadline, grace and late arrivals; how many there were.

    Several workers share the work: each passes over what another one holds. An attempt that can't be closed
    is left, and must not keep the others from it.
    """
    await _warm(db, papers, attempts.exams_due)
    try:
        return await _close_due(db, papers, batch)
    except AppError:
        raise
    except Exception:
        log.exception("sweep_failed_as_a_batch")
    async with db.reading() as conn:
        due = await attempts.due_ids(conn, LATE_ARRIVALS.total_seconds(), batch)
    closed = 0
    for attempt_id in due:
        try:
            closed += await _close_due(db, papers, 1, attempt_id)
        except AppError:
            raise
        except Exception:
            log.exception("attempt_not_closed")
    return closed


async def _close_due(db: Database, papers: PaperCache, batch: int, only: UUID | None = None) -> int:
    async with db.transaction() as tx:
        due = await attempts.lock_due(tx.conn, LATE_ARRIVALS.total_seconds(), batch, only)
        await close_attempts(tx, papers, due, Status.EXPIRED)
    return len(due)


async def announce_ungraded(db: Database, papers: PaperCache, batch: int = BATCH) -> int:
    """Send AttemptClosed again of attempts that should have a grade by now; how many it was.

    Not while the outbox is stuck: what is in it would only be doubled. Each time the next one waits twice
    as long.
    """
    async with db.reading() as conn:
        if await grades.outbox_is_stuck(conn, ANNOUNCE_AGAIN_SECONDS / 2):
            return 0
    await _warm(db, papers, grades.exams_unannounced)
    async with db.transaction() as tx:
        ungraded = await grades.lock_unannounced(tx.conn, batch)
        await announce(tx, papers, ungraded)
        await grades.announced(
            tx.conn,
            [(attempt.student_id, attempt.id) for attempt in ungraded],
            ANNOUNCE_AGAIN_SECONDS,
            LONGEST_PAUSE_SECONDS,
        )
    metrics.announced_again.inc(len(ungraded))
    return len(ungraded)


async def measure(db: Database) -> None:
    """Bring the gauges up to date: attempts in progress, and how late the sweeper is."""
    async with db.reading() as conn:
        active, lag = await grades.running_and_lag(conn, LATE_ARRIVALS.total_seconds())
    metrics.active_attempts.set(active)
    metrics.sweeper_lag.set(lag)


async def _warm(
    db: Database, papers: PaperCache, exams_of: Callable[[AsyncConnection], Awaitable[list[UUID]]]
) -> None:
    """Read the papers before the transaction: none that waits for a second connection may hold a first."""
    async with db.reading() as conn:
        exam_ids = await exams_of(conn)
    for exam_id in exam_ids:
        await papers.get(exam_id)
