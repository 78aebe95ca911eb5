"""Moving the deadlines of attempts under way when a rule behind them changed."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from examkit.db import Tx

from exam_service.domain.attempt import Attempt
from exam_service.domain.deadline import Deadline, Timing, deadline
from exam_service.repository import accommodations, attempts, exams
from exam_service.repository.exams import ExamRow

_AT_ONCE = 1000


def timing_of(exam: ExamRow) -> Timing:
    settings = exam.settings
    return Timing(settings.duration_minutes, settings.start_time, settings.end_time)


async def recompute_exam(tx: Tx, exam_id: UUID) -> int:
    """Compute the deadlines of all attempts under way at an exam anew; how many moved.

    For a change of the exam's window: call it in the same transaction, after the change was written. It
    waits for the starts under way, and holds off others until the commit, so that none keeps the old window.
    """
    await attempts.change_alone(tx.conn, "exam", exam_id)
    moved = 0
    last = None
    while True:
        running = await attempts.lock_running(tx.conn, exam_id=exam_id, after=last, limit=_AT_ONCE)
        moved += len(await _recompute(tx, running))
        if len(running) < _AT_ONCE:
            return moved
        last = running[-1].id


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
