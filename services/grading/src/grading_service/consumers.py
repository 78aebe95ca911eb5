"""Events of the exam service, each to its use case."""

import structlog
from examkit.clock import Clock
from examkit.db import Tx
from examkit.events import Delivery
from examprotos.exam.v1 import events_pb2

from grading_service import metrics
from grading_service.repository import policies
from grading_service.repository.papers import PaperCache
from grading_service.rpc import conversions
from grading_service.usecases.grade_attempt import grade_attempt

ATTEMPT_CLOSED = "examhall.exam.attempt.closed.v1"
EXAM_CHANGED = "examhall.exam.exam.changed.v1"

log = structlog.get_logger(__name__)


class Consumers:
    """The handlers of grading's queues."""

    def __init__(self, cache: PaperCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock

    async def attempt_closed(self, tx: Tx, delivery: Delivery) -> None:
        closed = conversions.closed_attempt(delivery.parse(events_pb2.AttemptClosed))
        now = self._clock()
        if await grade_attempt(tx, self._cache, closed, now):
            metrics.submit_to_grade.observe(max(0.0, (now - closed.closed_at).total_seconds()))
            metrics.graded.labels(closed.status).inc()
        else:
            metrics.graded.labels("repeated").inc()

    async def exam_changed(self, tx: Tx, delivery: Delivery) -> None:
        message = delivery.parse(events_pb2.ExamChanged)
        exam_id = conversions.uuid_of(message.exam_id, "exam_id")
        await policies.put(tx.conn, exam_id, message.version, conversions.exam_policy(message))
