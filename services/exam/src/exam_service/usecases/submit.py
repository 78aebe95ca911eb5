"""Submitting: the answers sent along are stored and the attempt is closed, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import invalid
from examkit.ids import parse_uuid
from examkit.principal import Principal
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import attempt_errors
from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.paper import Paper
from exam_service.domain.revision import judge
from exam_service.domain.saving import NewAnswer, Save, SaveResult, StoredAnswer, Verdict, rejected
from exam_service.repository import attempts as repository
from exam_service.repository.attempts import KnownAttempts
from exam_service.repository.papers import PaperCache
from exam_service.usecases.close_attempt import close_attempts
from exam_service.usecases.save import Judging, SentAnswer, is_about_data, judging, unstorable
from exam_service.usecases.store_answers import store_answers

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


async def submit(
    db: Database,
    papers: PaperCache,
    known: KnownAttempts,
    principal: Principal,
    student_exam_id: str,
    answers: Sequence[SentAnswer],
    arrived: float,
) -> Submitted:
    """Close the attempt as submitted; after deadline + grace as expired, and then without these answers.

    For an attempt that is closed already nothing changes and the same is answered. `arrived`: when the
    request came in, on `time.monotonic()`. Raises not_found, invalid, conflict attempt_void, attempt_paused.
    """
    if len(answers) > MAX_ANSWERS:
        raise invalid(f"At most {MAX_ANSWERS} answers can be sent along.")
    key = principal.user_id, parse_uuid(student_exam_id, "attempt")
    # Read before the transaction: none that waits for a second connection may hold a first one.
    paper = await papers.get(await _exam_of(db, known, key))
    sent = judging(paper, key, answers, arrived, closing=True)

    @retry_deadlocks
    async def run(*, one_by_one: bool) -> Submitted:
        async with db.transaction() as tx:
            return await _submit(tx, papers, paper, sent, one_by_one=one_by_one)

    try:
        return await run(one_by_one=False)
    except DBAPIError as error:
        if not is_about_data(error):
            raise
        return await run(one_by_one=True)


async def get_submission(
    db: Database, papers: PaperCache, principal: Principal, student_exam_id: str
) -> Submitted:
    """What `submit` answered, for a closed attempt. Raises not_found, also while it is in progress."""
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        attempt = await repository.get(conn, principal.user_id, attempt_id)
    if attempt is None or not attempt.status.is_closed:
        raise attempt_errors.no_such_attempt()
    return Submitted(attempt, await papers.get(attempt.exam_id), ())


async def _exam_of(db: Database, known: KnownAttempts, key: repository.AttemptKey) -> UUID:
    exam_id = known.get(key)
    if exam_id is None:
        async with db.reading() as conn:
            exam_id = (await known.read(conn, [key])).get(key)
    if exam_id is None:
        raise attempt_errors.no_such_attempt()
    return exam_id


async def _submit(tx: Tx, papers: PaperCache, paper: Paper, sent: Judging, *, one_by_one: bool) -> Submitted:
    save = sent.save
    result = await (_store_one_by_one if one_by_one else _store)(tx.conn, save)
    # The lock is held from here on: in a statement of its own, the attempt is read as it is now.
    attempt = await repository.get(tx.conn, save.student_id, save.attempt_id)
    if attempt is None:
        raise attempt_errors.no_such_attempt()
    if attempt.status.is_open:
        if result.fault is not None and result.fault.code != "time_limit_exceeded":
            raise result.fault
        status = Status.SUBMITTED if result.fault is None else Status.EXPIRED
        attempt = (await close_attempts(tx, papers, [attempt], status))[attempt.id]
    elif not attempt.status.is_closed:
        raise attempt_errors.fault("attempt_void")
    if result.fault is not None:
        result = SaveResult(verdicts=await _too_late(tx.conn, attempt, save))
    verdicts = sent.joined(result).verdicts
    return Submitted(attempt, paper, [_refusal(each) for each in verdicts if _was_refused(each)])


async def _store(conn: AsyncConnection, save: Save) -> SaveResult:
    (result,) = await store_answers(conn, [save])
    return result


async def _store_one_by_one(conn: AsyncConnection, save: Save) -> SaveResult:
    """Each answer in a savepoint of its own, so that one that can't be stored costs no other."""
    alone = await _store(conn, replace(save, answers=()))
    if alone.fault is not None:
        return alone
    verdicts: list[Verdict] = []
    for answer in save.answers:
        try:
            async with conn.begin_nested():
                verdicts += (await _store(conn, replace(save, answers=(answer,)))).verdicts
        except DBAPIError as error:
            if not is_about_data(error):
                raise
            verdicts.append(unstorable(answer))
    return replace(alone, verdicts=verdicts)


async def _too_late(conn: AsyncConnection, attempt: Attempt, save: Save) -> list[Verdict]:
    """What a submit that changes nothing any more says of each answer: what is stored is no news."""
    stored = (await repository.answers_of(conn, [(attempt.student_id, attempt.id)])).popitem()[1]
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
