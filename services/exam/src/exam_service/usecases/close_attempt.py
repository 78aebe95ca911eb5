"""Closing attempts, the one way for submits, the sweeper and starts that find an attempt past its time.

The answers are read in a statement of its own under the lock, so that what was acknowledged before is there;
they are translated from the letters shown into those authored, and go to grading by an event.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from uuid import UUID

from examkit.db import Tx
from examkit.events import Event
from examprotos.exam.v1 import events_pb2

from exam_service import metrics
from exam_service.domain.answer import canonical, digest
from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.paper import Paper
from exam_service.domain.saving import StoredAnswer
from exam_service.domain.shuffle import letterings
from exam_service.repository import attempts as repository
from exam_service.repository.papers import PaperCache
from exam_service.timestamps import to_timestamp

ATTEMPT_CLOSED = "examhall.exam.attempt.closed.v1"
ANNOUNCE_AGAIN_SECONDS = 60.0
"""How long after it was announced a closed attempt without a grade is announced again."""

_NO_TRACES: Mapping[UUID, str | None] = MappingProxyType({})
_REASONS = {Status.SUBMITTED: "submitted", Status.EXPIRED: "time_up"}


async def close_attempts(
    tx: Tx,
    papers: PaperCache,
    attempts: Sequence[Attempt],
    status: Status,
    traces: Mapping[UUID, str | None] = _NO_TRACES,
) -> dict[UUID, Attempt]:
    """Close these attempts, which the caller has locked, as `submitted` or `expired`; by id, as closed.

    `traces`: by attempt, the traceparent of the request that closes it, for the event.
    """
    if not attempts:
        return {}
    keys = [(attempt.student_id, attempt.id) for attempt in attempts]
    answers = {
        key: [answer for answer in stored if answer.answer is not None]
        for key, stored in (await repository.answers_of(tx.conn, keys)).items()
    }
    closings = [
        repository.Closing(
            attempt,
            digest({answer.question_id: answer.answer for answer in answers[key]}),
            len(answers[key]),
        )
        for key, attempt in zip(keys, attempts, strict=True)
    ]
    closed = await repository.close(tx.conn, closings, status, _REASONS[status], ANNOUNCE_AGAIN_SECONDS)
    await _publish(tx, papers, list(closed.values()), answers, traces)
    tx.on_commit(partial(_count, status, [*closed.values()]))
    return closed


def _count(status: Status, closed: Sequence[Attempt]) -> None:
    metrics.closed.labels(status.value).inc(len(closed))
    seconds = metrics.duration.labels(status.value)
    for attempt in closed:
        if attempt.closed_at is not None:
            seconds.observe((attempt.closed_at - attempt.started_at).total_seconds())


async def announce(tx: Tx, papers: PaperCache, attempts: Sequence[Attempt]) -> None:
    """Publish AttemptClosed of attempts that were closed before, as they stand."""
    keys = [(attempt.student_id, attempt.id) for attempt in attempts]
    stored = await repository.answers_of(tx.conn, keys)
    answers = {key: [answer for answer in kept if answer.answer is not None] for key, kept in stored.items()}
    await _publish(tx, papers, attempts, answers)


async def _publish(
    tx: Tx,
    papers: PaperCache,
    attempts: Sequence[Attempt],
    answers: dict[repository.AttemptKey, list[StoredAnswer]],
    traces: Mapping[UUID, str | None] = _NO_TRACES,
) -> None:
    shuffled = await repository.shuffles_options(tx.conn, {attempt.exam_id for attempt in attempts})
    for attempt in attempts:
        message = attempt_closed(
            attempt,
            await papers.get(attempt.exam_id),
            answers[attempt.student_id, attempt.id],
            shuffle_options=shuffled[attempt.exam_id],
        )
        event = Event(ATTEMPT_CLOSED, str(attempt.id), message)
        tx.publish(event, traceparent=traces.get(attempt.id))


def attempt_closed(
    attempt: Attempt, paper: Paper, answers: Sequence[StoredAnswer], *, shuffle_options: bool
) -> events_pb2.AttemptClosed:
    """The event of a closed attempt, its answers both as shown and in the authored letters."""
    chosen = letterings(paper, attempt.seed, shuffle_options)
    message = events_pb2.AttemptClosed(
        student_exam_id=str(attempt.id),
        student_id=str(attempt.student_id),
        exam_id=str(attempt.exam_id),
        attempt_no=attempt.attempt_no,
        attempt_version=attempt.version,
        status=attempt.status.value,
        started_at=to_timestamp(attempt.started_at),
        closed_at=to_timestamp(attempt.closed_at),
    )
    for answer in sorted(answers, key=lambda each: str(each.question_id)):
        lettering = chosen.get(answer.question_id)
        closed = message.answers.add(question_id=str(answer.question_id))
        if lettering is None:
            # Long texts are among these: once is enough.
            closed.answer_json = canonical(answer.answer)
        else:
            closed.answer_json = canonical(lettering.translate(answer.answer))
            closed.shown_json = canonical(answer.answer)
    for question_id, lettering in chosen.items():
        message.letterings.add(question_id=str(question_id), authored_ids=lettering.authored_ids)
    return message
