"""Moving the deadlines of attempts under way when a rule behind them changed."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import AppError

from exam_service.domain.attempt import Attempt
from exam_service.domain.deadline import Deadline, Timing, deadline
from exam_service.repository import accommodations, attempts, deadlines_due, exams
from exam_service.repository.exams import ExamRow
from exam_service.usecases.exam_events import publish_exam_changed

SETTLED_AT_ONCE = 100
SETTLE_SECONDS = 4.0
LEFT_SECONDS = 10.0
_AT_ONCE = 1000

log = structlog.get_logger(__name__)


def timing_of(exam: ExamRow) -> Timing:
    settings = exam.settings
    return Timing(settings.duration_minutes, settings.start_time, settings.end_time)


async def recompute_exam(tx: Tx, exam_id: UUID) -> int:
    """Compute the deadlines of all attempts under way at an exam anew; how many moved.

    All in this transaction. The caller holds off starts.
    """
    moved = 0
    last = None
    while True:
        running = await attempts.lock_running(tx.conn, exam_id=exam_id, after=last, limit=_AT_ONCE)
        moved += len(await _recompute(tx, running))
        if len(running) < _AT_ONCE:
            return moved
        last = running[-1].id


async def set_due(tx: Tx, exam_id: UUID) -> None:
    """For a change of the exam's window, in its transaction: the deadlines are to be settled after it.

    It waits for the starts under way, and holds off others until the commit: who began with the old window is
    there to be settled. The caller holds the exam's lock.
    """
    await attempts.change_alone(tx.conn, "exam", exam_id)
    await deadlines_due.set_due(tx.conn, exam_id)


async def settle(db: Database, exam_id: UUID, within: float | None = None) -> bool:
    """Move the deadlines of attempts under way to the exam's window, a hundred in a transaction.

    Saves go on meanwhile. Whoever begins anew finds nothing to do where it is done already. Whether all is
    done; False where so many seconds (`within`) were not enough.
    """
    give_up = None if within is None else time.monotonic() + within
    async with db.reading() as conn:
        since = await deadlines_due.due_since(conn, exam_id)
    if since is None:
        return True
    # A run before this one may have moved some, and not have told.
    moved, last = within is None, None
    while True:
        settled = await _settle_next(db, exam_id, last)
        moved, last = moved or settled.moved, settled.last
        if last is None:
            await _settled(db, exam_id, since, tell=moved)
            return True
        if give_up is not None and time.monotonic() > give_up:
            return False


async def settle_now(db: Database, exam_id: UUID) -> None:
    """The same as far as it goes in a few seconds. The change itself is committed: a worker does the rest."""
    try:
        done = await settle(db, exam_id, SETTLE_SECONDS)
    except AppError as error:
        done = False
        log.warning("deadlines_not_settled", exam_id=str(exam_id), cause=repr(error))
    if not done:
        log.info("deadlines_left_to_the_worker", exam_id=str(exam_id))


async def settle_what_is_left(db: Database, age: float = LEFT_SECONDS) -> int:
    """Settle exams that have been due for more than `age` seconds: what a crash left; how many it was.

    Raises DatabaseAway.
    """
    async with db.reading() as conn:
        left = await deadlines_due.behind(conn, age)
    for exam_id in left:
        await settle(db, exam_id)
    return len(left)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A hundred attempts: whether any moved, and the last of them; None where there were none."""

    moved: bool
    last: UUID | None


async def _settle_next(db: Database, exam_id: UUID, after: UUID | None) -> _Settled:
    """The next hundred, in the order in which saves lock them."""

    @retry_deadlocks
    async def run() -> _Settled:
        async with db.transaction() as tx:
            running = await attempts.lock_running(
                tx.conn, exam_id=exam_id, after=after, limit=SETTLED_AT_ONCE
            )
            moved = await _recompute(tx, running)
        return _Settled(bool(moved), running[-1].id if running else None)

    return await run()


async def _settled(db: Database, exam_id: UUID, since: datetime, *, tell: bool) -> None:
    """Note it, and `tell` of the end that the deadlines now make. Nothing where the window changed again."""

    @retry_deadlocks
    async def run() -> None:
        async with db.transaction() as tx:
            if await deadlines_due.set_done(tx.conn, exam_id, since) and tell:
                await publish_exam_changed(tx, exam_id)

    await run()


async def recompute_student(tx: Tx, student_id: UUID, exam_id: UUID | None) -> list[tuple[Attempt, Deadline]]:
    """The same for the attempts of a student, at one exam or at all; what moved, and to when.

    The caller took `change_alone` for the student before it changed the accommodation.
    """
    running = await attempts.lock_running(tx.conn, student_id=student_id, exam_id=exam_id)
    return await _recompute(tx, running)


async def _recompute(tx: Tx, running: Sequence[Attempt]) -> list[tuple[Attempt, Deadline]]:
    """Compute anew the deadlines of attempts that are locked; each that moves has its version counted up."""
    by_exam: dict[UUID, list[Attempt]] = defaultdict(list)
    for attempt in running:
        by_exam[attempt.exam_id].append(attempt)
    moved = []
    for exam_id, of_exam in by_exam.items():
        exam = await exams.get_exam(tx.conn, exam_id)
        if exam is None:
            continue
        students = {attempt.student_id for attempt in of_exam}
        granted = await accommodations.effective_for(tx.conn, students, exam_id)
        for attempt in of_exam:
            now = deadline(
                timing_of(exam),
                granted[attempt.student_id],
                attempt.started_at,
                attempt.granted_minutes,
                attempt.shifted,
            )
            if (now.at, now.reason) != (attempt.deadline, attempt.deadline_reason):
                moved.append((attempt, now))
    await attempts.set_deadlines(tx.conn, moved)
    return moved
