"""Events of the exam service, each to its use case."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from examkit.clock import Clock
from examkit.db import Tx
from examkit.events import Delivery
from examprotos.exam.v1 import events_pb2

from grading_service import metrics
from grading_service.repository import policies, withdrawals
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import PaperCache
from grading_service.repository.withdrawals import Withdrawal
from grading_service.rpc import conversions
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.grade_attempts import grade_attempts
from grading_service.usecases.withdraw_grades import withdraw_grades

ATTEMPTS_QUEUE = "grading.attempts"
EXAMS_QUEUE = "grading.exams"
ATTEMPT_CLOSED = "examhall.exam.attempt.closed.v1"
ATTEMPT_REOPENED = "examhall.exam.attempt.reopened.v1"
ATTEMPT_VOIDED = "examhall.exam.attempt.voided.v1"
EXAM_CHANGED = "examhall.exam.exam.changed.v1"

_CAUSES = {
    ATTEMPT_REOPENED: ("reopened", events_pb2.AttemptReopened),
    ATTEMPT_VOIDED: ("void", events_pb2.AttemptVoided),
}

log = structlog.get_logger(__name__)


class Consumers:
    """The handlers of grading's queues."""

    def __init__(self, cache: PaperCache, waiters: GradeWaiters, clock: Clock) -> None:
        self._cache = cache
        self._waiters = waiters
        self._clock = clock

    async def attempts_changed(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        """Closed attempts are graded, what was reopened or declared void has its grade withdrawn.

        Versions decide, so that the order in which they come does not matter.
        """
        withdrawn = [_withdrawal(delivery) for delivery in deliveries if delivery.type in _CAUSES]
        closed = [
            conversions.closed_attempt(delivery.parse(events_pb2.AttemptClosed), delivery.traceparent)
            for delivery in deliveries
            if delivery.type == ATTEMPT_CLOSED
        ]
        now = self._clock()
        await withdrawals.take_turns(tx.conn, withdrawing=bool(withdrawn))
        if withdrawn:
            taken = await withdraw_grades(tx, withdrawn, now)
            tx.on_commit(lambda: metrics.withdrawn.inc(taken))
        graded = await grade_attempts(tx, self._cache, closed, now)
        tx.on_commit(lambda: self._committed(graded, len(closed), now))

    def _committed(self, graded: Sequence[GradedAttempt], taken: int, now: datetime) -> None:
        self._waiters.tell({(one.student_id, one.student_exam_id): one.attempt_version for one in graded})
        for one in graded:
            metrics.submit_to_grade.observe(max(0.0, (now - one.closed_at).total_seconds()))
            metrics.graded.labels(one.status).inc()
        metrics.graded.labels("repeated").inc(taken - len(graded))

    async def exam_changed(self, tx: Tx, delivery: Delivery) -> None:
        message = delivery.parse(events_pb2.ExamChanged)
        exam_id = conversions.uuid_of(message.exam_id, "exam_id")
        await policies.put(tx.conn, exam_id, message.version, conversions.exam_policy(message))


def _withdrawal(delivery: Delivery) -> Withdrawal:
    cause, message = _CAUSES[delivery.type]
    told: Any = delivery.parse(message)
    return Withdrawal(
        conversions.uuid_of(told.student_id, "student_id"),
        conversions.uuid_of(told.student_exam_id, "student_exam_id"),
        conversions.uuid_of(told.exam_id, "exam_id"),
        told.attempt_version,
        cause,
    )
