"""Resuming an attempt: the same questions, order and letters, with every acknowledged answer."""

from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import parse_uuid
from examkit.principal import Principal
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors, metrics
from exam_service.domain.attempt import Attempt, Status, status_by_clock
from exam_service.repository import attempts, exams
from exam_service.repository.papers import PaperCache
from exam_service.usecases.start import Sitting


async def resume(db: Database, papers: PaperCache, principal: Principal, exam_id: str) -> Sitting:
    """The student's attempt in progress at the exam, wherever it was left.

    An attempt goes on though the exam was closed or the roster changed since. Raises gone
    time_limit_exceeded once its time is up, conflict attempt_paused, not_found where none is in progress.
    """
    exam_uuid = parse_uuid(exam_id, "exam")
    async with db.transaction() as tx:
        found = await attempts.resume(tx.conn, principal.user_id, exam_uuid)
        if found is None:
            raise await _why_not(tx.conn, await attempts.of_exam(tx.conn, principal.user_id, exam_uuid))
        attempt, gap = found
        exam = await exams.get_exam(tx.conn, exam_uuid)
        # Under the attempt's lock, and a statement of its own: whatever was acknowledged is there.
        answers = (await attempts.answers_of(tx.conn, [(attempt.student_id, attempt.id)])).popitem()[1]
        now = await attempts.now(tx.conn)
    if exam is None:
        raise attempt_errors.no_open_attempt()
    metrics.resumes.inc()
    metrics.resume_gap.observe(gap)
    return Sitting(attempt, exam, await papers.get(exam_uuid), answers, now)


async def _why_not(conn: AsyncConnection, earlier: list[Attempt]) -> AppError:
    now = await attempts.now(conn)
    counting = [attempt for attempt in earlier if attempt.status is not Status.VOID]
    if not counting:
        return attempt_errors.no_open_attempt()
    # One that was reopened and has run out, or is paused, goes before later ones that are closed.
    latest = next((attempt for attempt in counting if attempt.status.is_open), counting[0])
    status = status_by_clock(latest.status, latest.deadline, now)
    if status is Status.EXPIRED:
        return attempt_errors.time_is_up(latest.id)
    if status is Status.PAUSED:
        return attempt_errors.fault("attempt_paused")
    return attempt_errors.no_open_attempt()
