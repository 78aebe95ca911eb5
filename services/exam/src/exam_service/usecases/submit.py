"""Submitting: the answers sent along are stored and the attempt is closed, in one transaction.

Who submit at the same time share it; each attempt is locked, judged and closed as if it were alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from examkit import telemetry
from examkit.batching import Batcher, SetAside
from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import AppError, invalid
from examkit.ids import parse_uuid
from examkit.principal import Principal
from msgspec.structs import replace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors
from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.paper import Paper
from exam_service.domain.revision import judge
from exam_service.domain.saving import NewAnswer, Save, SaveResult, StoredAnswer, Verdict, rejected
from exam_service.domain.shuffle import ShownQuestion, shown
from exam_service.repository import attempts as repository
from exam_service.repository import exams
from exam_service.repository.attempts import AttemptKey, KnownAttempts
from exam_service.repository.papers import PaperCache
from exam_service.usecases.close_attempt import close_attempts
from exam_service.usecases.judging import Judging, SentAnswer, judging, with_own_files
from exam_service.usecases.save import is_about_data, unstorable
from exam_service.usecases.store_answers import store_answers

Store = Callable[[AsyncConnection, Sequence[Save]], Awaitable[list[SaveResult]]]

MAX_ANSWERS = 1000
"""Sent along with one submit."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A closed attempt, its paper, and which of the answers sent along were not taken."""

    attempt: Attempt
    paper: Paper
    rejected: Sequence[Verdict]

    @property
    def submitted_at(self) -> datetime:
        if self.attempt.closed_at is None:
            raise AssertionError("a closed attempt has its time of closing")
        return self.attempt.closed_at


@dataclass(frozen=True, slots=True)
class _Asked:
    """A submit on its way. `traceparent`: the request's, whose trace goes on in the event."""

    paper: Paper
    sent: Judging
    traceparent: str | None = field(default_factory=telemetry.traceparent)

    @property
    def key(self) -> AttemptKey:
        return self.sent.save.student_id, self.sent.save.attempt_id


@dataclass(frozen=True, slots=True)
class _Case:
    """A submit, its attempt under the lock, and what became of the answers sent along."""

    asked: _Asked
    attempt: Attempt
    result: SaveResult

    def becomes(self) -> Status | None:
        """What the attempt is closed as; None where it is closed already. Raises what keeps it open."""
        if not self.attempt.status.is_open:
            if not self.attempt.status.is_closed:
                raise attempt_errors.fault("attempt_void")
            return None
        fault = self.result.fault
        if fault is not None and fault.code != "time_limit_exceeded":
            raise fault
        return Status.SUBMITTED if fault is None else Status.EXPIRED

    def submitted(self, attempt: Attempt, kept: Sequence[StoredAnswer]) -> Submitted:
        """What the student is told. `attempt`: as it is now; `kept`: its answers, where it took no more."""
        result = self.result
        if result.fault is not None:
            result = SaveResult(verdicts=_too_late(attempt, self.asked.sent.save, kept))
        verdicts = self.asked.sent.joined(result).verdicts
        refused = [_refusal(verdict) for verdict in verdicts if _was_refused(verdict)]
        return Submitted(attempt, self.asked.paper, refused)


class Submitter:
    """Closes attempts for their students; who come while others are being served go in one transaction."""

    def __init__(self, db: Database, papers: PaperCache, known: KnownAttempts) -> None:
        self._db = db
        self._papers = papers
        self._known = known
        self._batcher: Batcher[_Asked, Submitted] = Batcher("submits", self._submit_all)

    async def submit(
        self, principal: Principal, student_exam_id: str, answers: Sequence[SentAnswer], arrived: float
    ) -> Submitted:
        """Close the attempt as submitted; after deadline + grace as expired, and then without these answers.

        For an attempt that is closed already nothing changes and the same is answered. `arrived`: when the
        request came in, on `time.monotonic()`. Raises not_found, invalid, conflict attempt_void,
        attempt_paused.
        """
        if len(answers) > MAX_ANSWERS:
            raise invalid(f"At most {MAX_ANSWERS} answers can be sent along.")
        key = principal.user_id, parse_uuid(student_exam_id, "attempt")
        # Read before the transaction: none that waits for a second connection may hold a first one.
        paper = await self._papers.get(await self._exam_of(key))
        sent = judging(paper, key, answers, arrived, closing=True)
        (judged,) = await with_own_files(self._db, [sent])
        if isinstance(judged, AppError):
            raise judged
        return await self._batcher.do(_Asked(paper, judged))

    async def _exam_of(self, key: AttemptKey) -> UUID:
        exam_id = self._known.get(key)
        if exam_id is None:
            async with self._db.reading() as conn:
                exam_id = (await self._known.read(conn, [key])).get(key)
        if exam_id is None:
            raise attempt_errors.no_such_attempt()
        return exam_id

    async def _submit_all(self, asked: Sequence[_Asked]) -> list[Submitted | Exception]:
        @retry_deadlocks
        async def run(store: Store) -> list[Submitted | Exception]:
            async with self._db.transaction() as tx:
                return await _submit(tx, self._papers, asked, store)

        try:
            return await run(store_answers)
        except DBAPIError as error:
            if len(asked) > 1 or not is_about_data(error):
                raise
            return await run(_store_one_by_one)


async def get_submission(
    db: Database, papers: PaperCache, principal: Principal, student_exam_id: str
) -> Submitted:
    """What `submit` answered, for an attempt that is closed, or that will be since its time is up.

    Raises not_found, also while it is in progress.
    """
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        attempt = await repository.get(conn, principal.user_id, attempt_id)
        if attempt is not None and attempt.status.is_open:
            attempt = attempt.by_clock(await repository.now(conn))
    if attempt is None or not attempt.status.is_closed:
        raise attempt_errors.no_such_attempt()
    return Submitted(attempt, await papers.get(attempt.exam_id), ())


async def closed_paper(
    db: Database, papers: PaperCache, principal: Principal, student_exam_id: str
) -> tuple[ShownQuestion, ...]:
    """The questions of a closed attempt, in the order and the letters that the student saw.

    Raises not_found, also while it is in progress.
    """
    closed = await get_submission(db, papers, principal, student_exam_id)
    async with db.reading() as conn:
        exam = await exams.get_exam(conn, closed.attempt.exam_id)
    if exam is None:
        raise attempt_errors.no_such_attempt()
    return shown(
        closed.paper,
        closed.attempt.seed,
        shuffle_questions=exam.settings.shuffle_questions,
        shuffle_options=exam.settings.shuffle_options,
    )


async def _submit(
    tx: Tx, papers: PaperCache, asked: Sequence[_Asked], store: Store
) -> list[Submitted | Exception]:
    """An outcome for each. A batch waits for no lock: what somebody holds is left to a run of its own."""
    held = await _lock(tx.conn, [one.key for one in asked])
    first = {one.key: one for one in reversed(asked) if one.key in held}
    results = await store(tx.conn, [one.sent.save for one in first.values()])
    cases = {
        key: _Case(one, held[key], result) for (key, one), result in zip(first.items(), results, strict=True)
    }
    done = await _close(tx, papers, cases)
    missing = SetAside() if len(asked) > 1 else attempt_errors.no_such_attempt()
    return [done[one.key] if first.get(one.key) is one else missing for one in asked]


async def _lock(conn: AsyncConnection, keys: Sequence[AttemptKey]) -> dict[AttemptKey, Attempt]:
    if len(keys) > 1:
        return await repository.lock_free(conn, keys)
    attempt = await repository.lock(conn, *keys[0])
    return {} if attempt is None else {keys[0]: attempt}


async def _close(
    tx: Tx, papers: PaperCache, cases: Mapping[AttemptKey, _Case]
) -> dict[AttemptKey, Submitted | Exception]:
    done: dict[AttemptKey, Submitted | Exception] = {}
    closing: dict[Status, list[Attempt]] = {Status.SUBMITTED: [], Status.EXPIRED: []}
    for key, case in cases.items():
        try:
            status = case.becomes()
            if status is not None:
                closing[status].append(case.attempt)
        except AppError as refusal:
            done[key] = refusal
    now = {case.attempt.id: case.attempt for case in cases.values()}
    traces = {case.attempt.id: case.asked.traceparent for case in cases.values()}
    for status, open_ones in closing.items():
        now |= await close_attempts(tx, papers, open_ones, status, traces)
    late = [key for key, case in cases.items() if case.result.fault is not None and key not in done]
    kept = await repository.answers_of(tx.conn, late) if late else {}
    for key, case in cases.items():
        if key not in done:
            done[key] = case.submitted(now[case.attempt.id], kept.get(key, ()))
    return done


async def _store_one_by_one(conn: AsyncConnection, saves: Sequence[Save]) -> list[SaveResult]:
    """Each answer in a savepoint of its own, so that one that can't be stored costs no other."""
    return [await _store_in_parts(conn, save) for save in saves]


async def _store_in_parts(conn: AsyncConnection, save: Save) -> SaveResult:
    (alone,) = await store_answers(conn, [replace(save, answers=())])
    if alone.fault is not None:
        return alone
    verdicts: list[Verdict] = []
    for answer in save.answers:
        try:
            async with conn.begin_nested():
                (part,) = await store_answers(conn, [replace(save, answers=(answer,))])
            verdicts += part.verdicts
        except DBAPIError as error:
            if not is_about_data(error):
                raise
            verdicts.append(unstorable(answer))
    return replace(alone, verdicts=verdicts)


def _too_late(attempt: Attempt, save: Save, stored: Sequence[StoredAnswer]) -> list[Verdict]:
    """What a submit that changes nothing any more says of each answer: what is stored is no news."""
    kept = {answer.question_id: answer for answer in stored}
    return [_late_verdict(attempt, answer, kept.get(answer.question_id)) for answer in save.answers]


def _late_verdict(attempt: Attempt, sent: NewAnswer, kept: StoredAnswer | None) -> Verdict:
    question = str(sent.question_id)
    if sent.answer == (None if kept is None else kept.answer):
        return Verdict(question, "repeat", kept.revision if kept else 0, kept.saved_at if kept else None)
    if kept is not None and sent.revision is not None:
        judgement = judge(kept.revision, sent.revision, same_answer=False)
        if judgement.outcome != "stored":
            return Verdict(question, judgement.outcome, kept.revision, kept.saved_at, current=kept)
    expired = attempt.status is Status.EXPIRED
    fault = attempt_errors.fault("time_limit_exceeded" if expired else "already_submitted")
    return rejected(question, fault.code, fault.detail)


def _was_refused(verdict: Verdict) -> bool:
    return verdict.outcome in {"rejected", "conflict", "superseded"}


def _refusal(verdict: Verdict) -> Verdict:
    """With a code and a sentence, whatever the outcome."""
    if verdict.outcome == "superseded":
        return replace(verdict, code="superseded", detail="A newer answer was stored before.")
    if verdict.outcome == "conflict":
        return replace(verdict, code="conflict", detail="Another answer is stored under this revision.")
    return verdict
