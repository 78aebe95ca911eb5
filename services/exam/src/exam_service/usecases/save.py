"""Saving answers: many students' requests at once, each with its own token and its own verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import structlog
from examkit.db import Database, DatabaseAway, retry_deadlocks
from examkit.errors import AppError, forbidden, internal, invalid
from examkit.ids import parse_uuid
from examkit.principal import Principal
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from exam_service import attempt_errors, metrics
from exam_service.domain.saving import NewAnswer, Save, SaveResult, Verdict, rejected
from exam_service.repository.attempts import AttemptKey, KnownAttempts
from exam_service.repository.papers import PaperCache
from exam_service.usecases.judging import Judging, SentAnswer, judging, with_own_files
from exam_service.usecases.store_answers import store_batch

MAX_ANSWERS = 200
"""In one request."""

_RETRY_WITHIN_SECONDS = 2.0
_REJOIN_SECONDS = 0.1

log = structlog.get_logger(__name__)

Verify = Callable[[str], Awaitable[Principal]]


class SaveRequest(Struct, frozen=True):
    """One request of one student. `arrived`: when it came in, on `time.monotonic()`."""

    token: str
    student_exam_id: str
    answers: Sequence[SentAnswer]
    arrived: float


class Saver:
    """Judges requests and stores what they bring."""

    def __init__(self, db: Database, papers: PaperCache, known: KnownAttempts, verify: Verify) -> None:
        self._db = db
        self._papers = papers
        self._known = known
        self._verify = verify

    async def save_batch(self, requests: Sequence[SaveRequest]) -> list[SaveResult]:
        """A result for each request, in order. What it calls `stored` or `repeat` is committed.

        A save whose attempt somebody else holds is set aside: it comes again, and no other waits for it.
        """
        # One after the other: nearly all tokens are known, and an unknown key is asked for once for all.
        admitted = [await self._admit(request) for request in requests]
        exams = await self._exams_of(admitted)
        judged: list[Judging | AppError] = [
            key if isinstance(key, AppError) else await self._judge(request, key, exam_id)
            for request, key, exam_id in zip(requests, admitted, exams, strict=True)
        ]
        judged = await with_own_files(self._db, judged)
        ready = [judging for judging in judged if isinstance(judging, Judging)]
        results = iter(await store(self._db, [judging.save for judging in ready]))
        answer = [
            SaveResult(fault=each) if isinstance(each, AppError) else each.joined(next(results))
            for each in judged
        ]
        _count(answer)
        return answer

    async def _admit(self, request: SaveRequest) -> AttemptKey | AppError:
        """Whose attempt it claims to be: the student is known from here on, the attempt not yet."""
        try:
            principal = await self._verify(request.token)
            if not principal.is_student:
                raise forbidden("Only students save answers.")
            if len(request.answers) > MAX_ANSWERS:
                raise invalid(f"At most {MAX_ANSWERS} answers can be saved at once.")
            return principal.user_id, parse_uuid(request.student_exam_id, "attempt")
        except AppError as error:
            return error

    async def _exams_of(self, admitted: Sequence[AttemptKey | AppError]) -> Sequence[UUID | AppError | None]:
        """The exam of each attempt that is this student's; None for nobody's or another's."""
        exams = [key if isinstance(key, AppError) else self._known.get(key) for key in admitted]
        if None not in exams:
            return exams
        unknown = {
            key
            for key, exam_id in zip(admitted, exams, strict=True)
            if exam_id is None and not isinstance(key, AppError)
        }
        found: dict[Any, UUID | AppError] = {}
        try:
            async with self._db.reading() as conn:
                found |= await self._known.read(conn, unknown)
        except AppError as error:
            found |= dict.fromkeys(unknown, error)
        return [exam_id or found.get(key) for key, exam_id in zip(admitted, exams, strict=True)]

    async def _judge(
        self, request: SaveRequest, key: AttemptKey, exam_id: UUID | AppError | None
    ) -> Judging | AppError:
        if exam_id is None:
            return attempt_errors.no_such_attempt()
        if isinstance(exam_id, AppError):
            return exam_id
        try:
            paper = await self._papers.get(exam_id)
        except AppError as error:
            return error
        except Exception:
            # One paper that can't be read is no reason to fail those who sit another exam.
            log.exception("paper_unreadable", exam_id=str(exam_id))
            return internal()
        return judging(paper, key, request.answers, request.arrived)


async def store(db: Database, saves: Sequence[Save]) -> list[SaveResult]:
    """Store the saves, and answer after the commit.

    What the database refuses as data is found by halving, so that only that answer is refused; so is the save
    over which it stumbles in any other way (a damaged row), which alone is answered `internal`. Where the
    connection is lost the outcome is unknown: saves that carry revisions are sent once more, which changes
    nothing if they were committed; the others are answered `unavailable`.
    """
    if not saves:
        return []
    metrics.save_batch_size.observe(sum(len(save.answers) for save in saves))
    try:
        return await _store_once(db, saves)
    except DatabaseAway as error:
        return await _store_again(db, saves, error)
    except AppError as error:
        return [SaveResult(fault=error)] * len(saves)
    except DBAPIError as error:
        if len(saves) > 1 or (is_about_data(error) and saves[0].answers):
            return await _store_halves(db, saves)
        log.exception("save_failed", student_exam_id=str(saves[0].attempt_id))
        return [SaveResult(fault=internal())]


def is_about_data(error: DBAPIError) -> bool:
    """Whether a value that was sent is at fault, rather than the program or the database."""
    return isinstance(error, DataError | IntegrityError)


async def _store_once(db: Database, saves: Sequence[Save]) -> list[SaveResult]:
    @retry_deadlocks
    async def run() -> list[SaveResult]:
        return await store_batch(db, saves)

    return await run()


async def _store_again(db: Database, saves: Sequence[Save], lost: AppError) -> list[SaveResult]:
    fresh = time.monotonic() - _RETRY_WITHIN_SECONDS
    repeatable = [save for save in saves if save.arrived > fresh and save.is_repeatable]
    repeated: list[SaveResult] = []
    if repeatable:
        await asyncio.sleep(_REJOIN_SECONDS)
        try:
            repeated = await _store_once(db, repeatable)
        except (AppError, DBAPIError):
            repeated = [SaveResult(fault=lost)] * len(repeatable)
    results = {id(save): result for save, result in zip(repeatable, repeated, strict=True)}
    return [results.get(id(save), SaveResult(fault=lost)) for save in saves]


async def _store_halves(db: Database, saves: Sequence[Save]) -> list[SaveResult]:
    """The same in two parts, down to the one answer that can't be stored."""
    if len(saves) > 1:
        middle = len(saves) // 2
        return await store(db, saves[:middle]) + await store(db, saves[middle:])
    save = saves[0]
    if len(save.answers) > 1:
        middle = len(save.answers) // 2
        (first,) = await store(db, [replace(save, answers=save.answers[:middle])])
        (second,) = await store(db, [replace(save, answers=save.answers[middle:])])
        if first.fault or second.fault:
            return [first if first.fault else second]
        return [replace(second, verdicts=[*first.verdicts, *second.verdicts])]
    (alone,) = await store(db, [replace(save, answers=())])
    return [alone if alone.fault else replace(alone, verdicts=[unstorable(save.answers[0])])]


def unstorable(answer: NewAnswer) -> Verdict:
    return rejected(str(answer.question_id), "invalid", "This answer can't be stored.")


def _count(results: Sequence[SaveResult]) -> None:
    faults = Counter(result.fault.code for result in results if result.fault is not None)
    for code, times in faults.items():
        metrics.save_faults.labels(code).inc(times)
    outcomes = Counter(verdict.outcome for result in results for verdict in result.verdicts)
    for outcome, times in outcomes.items():
        metrics.saves.labels(outcome).inc(times)
