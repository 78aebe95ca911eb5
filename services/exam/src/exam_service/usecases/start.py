"""Starting an attempt: who may, and what one begins with."""

import asyncio
import hmac
import random
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from examkit import telemetry
from examkit.batching import Batcher, SetAside
from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import AppError, unavailable
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
from exam_service.repository.attempts import ExamKey, KnownAttempts
from exam_service.repository.exams import ExamRow
from exam_service.repository.papers import PaperCache
from exam_service.timestamps import to_timestamp
from exam_service.usecases.close_attempt import close_attempts
from exam_service.usecases.deadlines import timing_of

CHANGING_SECONDS = 4.0
"""So long a start waits for who changes its exam or its student's accommodation; then it is told 503."""
COME_AGAIN_SECONDS = 0.03
COME_AGAIN_MOST_SECONDS = 0.5
ATTEMPT_STARTED = "examhall.exam.attempt.started.v1"


@dataclass(frozen=True, slots=True)
class Sitting:
    """All that a student's page needs to show an attempt."""

    attempt: Attempt
    exam: ExamRow
    paper: Paper
    answers: Sequence[StoredAnswer]
    server_time: datetime


@dataclass(frozen=True, slots=True)
class _Asked:
    """A student who wants to begin. `traceparent`: the request's, whose trace goes on in the event."""

    principal: Principal
    paper: Paper
    access_code: str
    traceparent: str | None = field(default_factory=telemetry.traceparent)

    @property
    def key(self) -> ExamKey:
        return self.principal.user_id, self.paper.exam_id


@dataclass(frozen=True, slots=True)
class _Stored:
    """What decides on a batch of starts, as it stays until the commit."""

    now: datetime
    changing: Collection[ExamKey]
    exams: Mapping[UUID, ExamRow]
    named: Collection[ExamKey]
    granted: Mapping[ExamKey, Accommodation]
    attempts: Mapping[ExamKey, Sequence[Attempt]]


class _Changing(Exception):  # noqa: N818 - an outcome, not a failure
    """The outcome of a start whose exam, or accommodation, somebody changes at this moment."""


class Starter:
    """Begins attempts; who come while others are being served begin together, in one transaction.

    A start of what is being changed comes again a little later, so that no other waits for it.
    """

    def __init__(self, db: Database, papers: PaperCache, known: KnownAttempts) -> None:
        self._db = db
        self._papers = papers
        self._known = known
        self._batcher: Batcher[_Asked, Sitting] = Batcher("starts", self._start_all)

    async def start(self, principal: Principal, exam_id: str, access_code: str) -> Sitting:
        """Begin the student's next attempt.

        Raises not_found (also for drafts, and where the student is not on the roster), forbidden
        exam_not_open or access_code_wrong, conflict already_started or attempt_limit, unavailable.
        """
        # Read before the transaction: none that waits for a second connection may hold a first one.
        paper = await self._papers.get(parse_uuid(exam_id, "exam"))
        asked = _Asked(principal, paper, access_code)
        give_up = time.monotonic() + CHANGING_SECONDS
        pause = COME_AGAIN_SECONDS
        while True:
            try:
                return await self._batcher.do(asked)
            except _Changing:
                if time.monotonic() + pause > give_up:
                    raise unavailable("This exam is being changed, try again.", retry_after=1.0) from None
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311 - jitter
            pause = min(2 * pause, COME_AGAIN_MOST_SECONDS)

    async def _start_all(self, asked: Sequence[_Asked]) -> list[Sitting | Exception]:
        @retry_deadlocks
        async def run() -> list[Sitting | Exception]:
            async with self._db.transaction() as tx:
                return await _start(tx, self._papers, asked)

        outcomes = await run()
        begun = [outcome.attempt for outcome in outcomes if isinstance(outcome, Sitting)]
        self._known.remember({(attempt.student_id, attempt.id): attempt.exam_id for attempt in begun})
        metrics.starts.inc(len(begun))
        return outcomes


async def _start(tx: Tx, papers: PaperCache, asked: Sequence[_Asked]) -> list[Sitting | Exception]:
    """An outcome for each. What is rare is left to a run of its own: an attempt to close, a student twice."""
    stored = await _read(tx.conn, asked)
    first = {one.key: one for one in reversed(asked)}
    decided: list[Attempt | Exception] = []
    for one in asked:
        try:
            if first[one.key] is not one:
                raise SetAside
            if one.key in stored.changing:
                raise _Changing
            decided.append(await _decide(tx, papers, stored, one, alone=len(asked) == 1))
        except (AppError, SetAside, _Changing) as refusal:
            decided.append(refusal)
    new = [attempt for attempt in decided if isinstance(attempt, Attempt)]
    written = await attempts.insert(tx.conn, new) if new else set()
    return [
        each if isinstance(each, Exception) else await _begun(tx, stored, one, each, each.id in written)
        for one, each in zip(asked, decided, strict=True)
    ]


async def _decide(tx: Tx, papers: PaperCache, stored: _Stored, one: _Asked, *, alone: bool) -> Attempt:
    """The attempt that begins. Raises what keeps it from it, and SetAside where another is to be closed."""
    overdue = _admit(stored, one)
    if overdue is not None:
        if not alone:
            raise SetAside
        await _close_in_passing(tx, papers, overdue, stored.now)
    return _new_attempt(stored, one)


async def _read(conn: AsyncConnection, asked: Sequence[_Asked]) -> _Stored:
    keys = list(dict.fromkeys(one.key for one in asked))
    now, changing = await attempts.hold_still(conn, keys)
    found = await exams.get_exams(conn, {exam_id for _, exam_id in keys})
    by_name = [key for key in keys if key[1] in found and not found[key[1]].roster_all]
    return _Stored(
        now,
        changing,
        found,
        await exams.named_on_rosters(conn, by_name),
        await accommodations.effective_of(conn, keys),
        await attempts.of_exams(conn, keys),
    )


def _admit(stored: _Stored, one: _Asked) -> Attempt | None:
    """See whether the student may begin; the open attempt past its time that is to be closed before."""
    exam = stored.exams.get(one.paper.exam_id)
    if exam is None or not exam.is_visible:
        raise errors.no_such_exam()
    if not exam.admits(one.principal.groups) and one.key not in stored.named:
        raise errors.no_such_exam()
    earlier = stored.attempts[one.key]
    open_one = next((attempt for attempt in earlier if attempt.status.is_open), None)
    if open_one is not None and not open_one.is_over(stored.now):
        raise attempt_errors.already_started(open_one.id)
    _check_admission(exam, stored.granted[one.key], earlier, one.access_code, stored.now)
    return open_one


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


def _new_attempt(stored: _Stored, one: _Asked) -> Attempt:
    student_id, exam_id = one.key
    exam, now = stored.exams[exam_id], stored.now
    ends = deadline(timing_of(exam), stored.granted[one.key], now)
    return Attempt(
        student_id=student_id,
        id=uuid7(),
        exam_id=exam.id,
        attempt_no=max((attempt.attempt_no for attempt in stored.attempts[one.key]), default=0) + 1,
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


async def _begun(
    tx: Tx, stored: _Stored, one: _Asked, attempt: Attempt, written: bool
) -> Sitting | Exception:
    if not written:
        return attempt_errors.already_started(await _winner(tx.conn, attempt))
    event = Event(ATTEMPT_STARTED, str(attempt.id), _attempt_started(attempt))
    tx.publish(event, traceparent=one.traceparent)
    return Sitting(attempt, stored.exams[attempt.exam_id], one.paper, (), stored.now)


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
