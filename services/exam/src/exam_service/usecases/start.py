"""Starting an attempt: who may, and what one begins with."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from examkit.db import Database, Tx, retry_deadlocks
from examkit.events import Event
from examkit.ids import parse_uuid, uuid7
from examkit.principal import Principal
from examprotos.exam.v1 import events_pb2
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors, errors, metrics
from exam_service.domain.attempt import Attempt, Status, status_by_clock
from exam_service.domain.deadline import Accommodation, deadline, own_window
from exam_service.domain.paper import Paper
from exam_service.domain.saving import StoredAnswer
from exam_service.domain.shuffle import SEED_BYTES
from exam_service.repository import accommodations, attempts, exams
from exam_service.repository.exams import ExamRow
from exam_service.repository.papers import PaperCache
from exam_service.timestamps import to_timestamp
from exam_service.usecases.close_attempt import close_attempts
from exam_service.usecases.deadlines import timing_of

ATTEMPT_STARTED = "examhall.exam.attempt.started.v1"


@dataclass(frozen=True, slots=True)
class Sitting:
    """All that a student's page needs to show an attempt."""

    attempt: Attempt
    exam: ExamRow
    paper: Paper
    answers: Sequence[StoredAnswer]
    server_time: datetime


async def start(
    db: Database, papers: PaperCache, principal: Principal, exam_id: str, access_code: str
) -> Sitting:
    """Begin the student's next attempt.

    Raises not_found (also for drafts, and where the student is not on the roster), forbidden exam_not_open
    or access_code_wrong, conflict already_started or attempt_limit.
    """
    exam = parse_uuid(exam_id, "exam")
    # Read before the transaction: none that waits for a second connection may hold a first one.
    paper = await papers.get(exam)

    @retry_deadlocks
    async def run() -> Sitting:
        async with db.transaction() as tx:
            return await _start(tx, papers, principal, paper, access_code)

    sitting = await run()
    metrics.starts.inc()
    return sitting


async def _start(tx: Tx, papers: PaperCache, principal: Principal, paper: Paper, access_code: str) -> Sitting:
    student = principal.user_id
    now = await attempts.hold_still(tx.conn, student, paper.exam_id)
    exam = await _exam_of(tx.conn, principal, paper.exam_id)
    granted = (await accommodations.effective_for(tx.conn, [student], exam.id))[student]
    earlier = await attempts.of_exam(tx.conn, student, exam.id)
    open_one = next((attempt for attempt in earlier if attempt.status.is_open), None)
    if open_one is not None and not open_one.is_over(now):
        raise attempt_errors.already_started(open_one.id)
    _check_admission(exam, granted, earlier, access_code, now)
    if open_one is not None:
        await _close_in_passing(tx, papers, open_one, now)
    attempt = _new_attempt(student, exam, granted, earlier, now)
    if not await attempts.insert(tx.conn, attempt):
        raise attempt_errors.already_started(await _winner(tx.conn, attempt))
    tx.publish(Event(ATTEMPT_STARTED, str(attempt.id), _attempt_started(attempt)))
    return Sitting(attempt, exam, paper, (), now)


async def _exam_of(conn: AsyncConnection, principal: Principal, exam_id: UUID) -> ExamRow:
    exam = await exams.get_exam(conn, exam_id)
    if exam is None or not exam.is_visible:
        raise errors.no_such_exam()
    if not await exams.is_on_roster(conn, exam, principal.user_id, principal.groups):
        raise errors.no_such_exam()
    return exam


def _check_admission(
    exam: ExamRow, granted: Accommodation, earlier: Sequence[Attempt], access_code: str, now: datetime
) -> None:
    window = own_window(timing_of(exam), granted)
    if exam.status == "closed" or window.phase(now) != "open":
        raise attempt_errors.exam_not_open(window.start, window.end)
    code = exam.settings.access_code
    given = access_code.encode("utf-8", "surrogatepass")
    if code and not hmac.compare_digest(code.encode(), given):
        raise attempt_errors.access_code_wrong()
    used = sum(attempt.status is not Status.VOID for attempt in earlier)
    if used >= exam.settings.max_attempts + granted.extra_attempts:
        raise attempt_errors.attempt_limit()


async def _close_in_passing(tx: Tx, papers: PaperCache, attempt: Attempt, now: datetime) -> None:
    """Close an attempt whose time is up and that the sweeper has not reached, to make room for the next."""
    held = await attempts.lock(tx.conn, attempt.student_id, attempt.id)
    if held is None or not held.status.is_open:
        return
    if status_by_clock(held.status, held.deadline, now) is not Status.EXPIRED:
        raise attempt_errors.already_started(held.id)
    await close_attempts(tx, papers, [held], Status.EXPIRED)


def _new_attempt(
    student_id: UUID, exam: ExamRow, granted: Accommodation, earlier: Sequence[Attempt], now: datetime
) -> Attempt:
    ends = deadline(timing_of(exam), granted, now)
    return Attempt(
        student_id=student_id,
        id=uuid7(),
        exam_id=exam.id,
        attempt_no=max((attempt.attempt_no for attempt in earlier), default=0) + 1,
        status=Status.IN_PROGRESS,
        version=1,
        started_at=now,
        deadline=ends.at,
        deadline_version=1,
        deadline_reason=ends.reason,
        granted_minutes=0,
        grace_seconds=exam.settings.grace_seconds,
        closed_at=None,
        last_activity=now,
        resumes=0,
        seed=secrets.token_bytes(SEED_BYTES),
    )


async def _winner(conn: AsyncConnection, loser: Attempt) -> UUID:
    """The attempt that another start made at the same moment."""
    others = await attempts.of_exam(conn, loser.student_id, loser.exam_id)
    return next((attempt.id for attempt in others if attempt.status.is_open), others[0].id)


def _attempt_started(attempt: Attempt) -> events_pb2.AttemptStarted:
    return events_pb2.AttemptStarted(
        student_exam_id=str(attempt.id),
        student_id=str(attempt.student_id),
        exam_id=str(attempt.exam_id),
        attempt_no=attempt.attempt_no,
        started_at=to_timestamp(attempt.started_at),
        deadline=to_timestamp(attempt.deadline),
    )
