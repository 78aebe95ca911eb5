"""What staff do to attempts: extend, pause, resume, void, reopen; each with its reason, and on record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import FieldError
from examkit.events import Event
from examkit.ids import parse_uuid
from examprotos.exam.v1 import events_pb2

from exam_service import attempt_errors, errors, metrics
from exam_service.domain.attempt import LATE_ARRIVALS, Attempt, Status
from exam_service.domain.intervening import (
    MOST_MINUTES,
    Action,
    NotAllowed,
    NoTimeLeft,
    Order,
    Terms,
    changed,
)
from exam_service.domain.text import text_problem
from exam_service.repository import accommodations, attempts, exams, interventions
from exam_service.repository.attempt_lists import Summary
from exam_service.repository.audit import insert_entries
from exam_service.repository.exams import ExamRow
from exam_service.repository.interventions import Done, as_told
from exam_service.repository.papers import PaperCache
from exam_service.timestamps import to_timestamp
from exam_service.usecases.actor import Actor
from exam_service.usecases.close_attempt import close_attempts
from exam_service.usecases.deadlines import timing_of
from exam_service.usecases.exam_events import publish_exam_changed, read_last_possible_ends
from exam_service.usecases.list_attempts import get_attempt

ATTEMPT_REOPENED = "examhall.exam.attempt.reopened.v1"
ATTEMPT_VOIDED = "examhall.exam.attempt.voided.v1"
MOST_REASON = 1000
_WITHDRAWING = {Action.REOPENED, Action.VOIDED}


@dataclass(frozen=True, slots=True)
class Intervention:
    """Who does what, and why; `incident` where it is done for many."""

    actor: Actor
    order: Order
    reason: str
    incident: UUID | None = None

    def problems(self) -> Iterator[FieldError]:
        """Everything that is wrong, located by field."""
        minutes = self.order.minutes
        needed = self.order.action is Action.EXTENDED
        if (minutes is None and needed) or (minutes is not None and not 1 <= minutes <= MOST_MINUTES):
            yield FieldError(("minutes",), f"must be a whole number from 1 to {MOST_MINUTES}")
        problem = text_problem(self.reason, least=1, most=MOST_REASON)
        if problem:
            yield FieldError(("reason",), problem)


async def intervene(
    db: Database, papers: PaperCache, student_exam_id: str, intervention: Intervention
) -> Summary:
    """Do it to one attempt; as it stands then.

    Raises invalid, not_found; conflict where its status does not allow it, or `already_started` where the
    student sits another attempt.
    """
    wrong = list(intervention.problems())
    if wrong:
        raise errors.invalid_fields(wrong)
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        found = await interventions.owner(conn, attempt_id)
    if found is None:
        raise attempt_errors.no_such_attempt()
    student_id, exam_id = found
    # Read before the transaction: none that waits for a second connection may hold a first one.
    await papers.get(exam_id)

    @retry_deadlocks
    async def run() -> None:
        async with db.transaction() as tx:
            await attempts.change_alone(tx.conn, "student", student_id)
            await _intervene(tx, papers, intervention, (student_id, attempt_id), exam_id)

    await run()
    return await get_attempt(db, student_exam_id)


async def _intervene(
    tx: Tx, papers: PaperCache, intervention: Intervention, key: attempts.AttemptKey, exam_id: UUID
) -> None:
    """The caller holds off the student's starts. The exam is locked, then the attempt."""
    exam = await exams.get_exam(tx.conn, exam_id, lock="update")
    ends = await read_last_possible_ends(tx.conn, [exam_id])
    attempt = await attempts.lock(tx.conn, *key)
    if exam is None or attempt is None:
        raise attempt_errors.no_such_attempt()
    now = await attempts.now(tx.conn)
    if intervention.order.action is Action.REOPENED:
        attempt = await _make_room(tx, papers, attempt, now)
    try:
        await apply(tx, intervention, exam, [attempt], now)
    except NotAllowed as refusal:
        raise attempt_errors.not_allowed(refusal.action, refusal.status) from None
    except NoTimeLeft:
        field = FieldError(("minutes",), "must be given: no time was left when the attempt closed")
        raise errors.invalid_fields([field]) from None
    if await read_last_possible_ends(tx.conn, [exam_id]) != ends:
        await publish_exam_changed(tx, exam_id)


async def apply(
    tx: Tx,
    intervention: Intervention,
    exam: ExamRow,
    locked: Sequence[Attempt],
    now: datetime,
    *,
    skipping: bool = False,
) -> list[Attempt]:
    """Do it to attempts at this exam that the caller has locked; as they are then.

    Raises NotAllowed, NoTimeLeft; with `skipping` it leaves out those whose status does not allow it.
    """
    done = await _changes(tx, intervention.order, exam, locked, now, skipping=skipping)
    actor = intervention.actor
    after = [one.after for one in done]
    await interventions.write(tx.conn, after)
    await interventions.insert_history(
        tx.conn, done, reason=intervention.reason, actor_kind=actor.kind, actor_id=actor.id
    )
    await insert_entries(tx.conn, [_entry(intervention, one) for one in done])
    if intervention.order.action in _WITHDRAWING:
        for attempt in after:
            tell_withdrawn(tx, attempt)
    counter = metrics.interventions.labels(intervention.order.action.value)
    tx.on_commit(partial(counter.inc, len(done)))
    return after


async def _changes(
    tx: Tx, order: Order, exam: ExamRow, locked: Sequence[Attempt], now: datetime, *, skipping: bool
) -> list[Done]:
    granted = await accommodations.effective_for(tx.conn, {one.student_id for one in locked}, exam.id)
    answers = {}
    if order.action is Action.REOPENED:
        answers = await attempts.answers_of(tx.conn, [(one.student_id, one.id) for one in locked])
    done = []
    for one in locked:
        try:
            after = changed(order, one, Terms(timing_of(exam), granted[one.student_id]), now)
        except NotAllowed:
            if skipping:
                continue
            raise
        done.append(Done(order.action.value, one, after, now, answers.get((one.student_id, one.id))))
    return done


def _entry(intervention: Intervention, done: Done) -> AuditEntry:
    incident = {} if intervention.incident is None else {"incident_id": str(intervention.incident)}
    return intervention.actor.did(
        f"attempt.{done.action}",
        "attempt",
        done.after.id,
        before=as_told(done.before),
        after={**as_told(done.after), **incident},
        reason=intervention.reason,
    )


def tell_withdrawn(tx: Tx, attempt: Attempt) -> None:
    """Tell grading of a void attempt, or of one that is open again, that no grade before counts."""
    if attempt.status is Status.VOID:
        tx.publish(Event(ATTEMPT_VOIDED, str(attempt.id), attempt_voided(attempt)))
    else:
        tx.publish(Event(ATTEMPT_REOPENED, str(attempt.id), attempt_reopened(attempt)))


def attempt_reopened(attempt: Attempt) -> events_pb2.AttemptReopened:
    return events_pb2.AttemptReopened(
        student_exam_id=str(attempt.id),
        student_id=str(attempt.student_id),
        exam_id=str(attempt.exam_id),
        attempt_version=attempt.version,
        deadline=to_timestamp(attempt.deadline),
    )


def attempt_voided(attempt: Attempt) -> events_pb2.AttemptVoided:
    return events_pb2.AttemptVoided(
        student_exam_id=str(attempt.id),
        student_id=str(attempt.student_id),
        exam_id=str(attempt.exam_id),
        attempt_version=attempt.version,
    )


async def _make_room(tx: Tx, papers: PaperCache, attempt: Attempt, now: datetime) -> Attempt:
    """Close what the sweeper has not reached: this attempt itself, or another whose time is up.

    Raises conflict already_started where the student sits another one, or may still hand it in: within the
    grace a submit on its way brings answers that a closed attempt would not take.
    """
    for other in await attempts.of_exam(tx.conn, attempt.student_id, attempt.exam_id):
        if not other.status.is_open or (other.id == attempt.id and not _is_overdue(attempt, now)):
            continue
        held = await attempts.lock(tx.conn, other.student_id, other.id)
        if held is None or not held.status.is_open:
            continue
        # The answers of the one that goes on are taken again; those of another would be lost.
        late = timedelta(0) if held.id == attempt.id else _grace(held)
        if not _is_overdue(held, now - late):
            raise attempt_errors.another_open(held.id)
        closed = await close_attempts(tx, papers, [held], Status.EXPIRED)
        attempt = closed.get(attempt.id, attempt)
    return attempt


def _grace(attempt: Attempt) -> timedelta:
    """As long as the sweeper leaves it after its deadline."""
    return timedelta(seconds=attempt.grace_seconds) + LATE_ARRIVALS


def _is_overdue(attempt: Attempt, now: datetime) -> bool:
    return attempt.status is Status.IN_PROGRESS and attempt.by_clock(now).status is Status.EXPIRED
