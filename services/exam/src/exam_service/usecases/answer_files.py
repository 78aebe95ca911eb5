"""Taking in the pictures that are answers."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from examkit.db import Database
from examkit.errors import FieldError, conflict, invalid, rate_limited
from examkit.ids import parse_uuid, uuid7
from examkit.principal import Principal

from exam_service import attempt_errors
from exam_service.domain.attempt import LATE_ARRIVALS, Attempt, Status
from exam_service.domain.file import MAX_PER_ANSWER, StoredFile
from exam_service.file_store import FileStore
from exam_service.pictures.process import Studio
from exam_service.repository import attempts, files
from exam_service.repository.papers import PaperCache

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""Pictures of one student that are drawn or wait for it: nobody else's wait behind a queue of theirs."""


class AnswerFiles:
    """Takes in what students upload."""

    def __init__(self, db: Database, papers: PaperCache, store: FileStore, studio: Studio) -> None:
        self._db = db
        self._papers = papers
        self._store = store
        self._studio = studio
        self._drawing: Counter[UUID] = Counter()

    async def add(
        self, principal: Principal, student_exam_id: str, question_id: str, data: bytes, arrived: float
    ) -> UUID:
        """Keep a picture for a question of an attempt in progress, until deadline and grace; its id.

        `arrived`: when the request came in, on `time.monotonic()`. Raises not_found, time_limit_exceeded,
        already_submitted, attempt_void, attempt_paused, too_many_files, rate_limited, too_large,
        unsupported, invalid.
        """
        attempt = await self._open_attempt(principal, parse_uuid(student_exam_id, "attempt"), arrived)
        question = parse_uuid(question_id, "question")
        await self._check_question(attempt, question)
        with self._turn(attempt.student_id):
            picture = await self._studio.draw(data)
        claim = attempt.student_id, attempt.id, question, uuid7()
        # The row first: bytes without one would stay for good, a row without them is swept.
        async with self._db.transaction() as tx:
            file = await files.insert_answer_file(tx.conn, claim, picture.media_type, len(picture.data))
        try:
            await self._store.put(file.path, picture.data)
        except BaseException:
            # Also when the client went away: what was not kept is none of the pictures that may be sent.
            await self._forget(attempt.student_id, file)
            raise
        return file.id

    async def _forget(self, student_id: UUID, file: StoredFile) -> None:
        """As well as it can be done now: a row that stays is swept."""
        try:
            async with self._db.transaction() as tx:
                await files.delete_answer_file(tx.conn, student_id, file.id)
            # The store may have kept them, and only said so too late.
            await self._store.delete(file.path)
        except Exception as error:
            log.warning("answer_file_not_forgotten", error=repr(error))

    @contextmanager
    def _turn(self, student_id: UUID) -> Iterator[None]:
        if self._drawing[student_id] >= AT_ONCE:
            raise rate_limited("Send pictures one after the other.", 1.0)
        self._drawing[student_id] += 1
        try:
            yield
        finally:
            self._drawing[student_id] -= 1
            if not self._drawing[student_id]:
                del self._drawing[student_id]

    async def _open_attempt(self, principal: Principal, attempt_id: UUID, arrived: float) -> Attempt:
        async with self._db.reading() as conn:
            attempt = await attempts.get(conn, principal.user_id, attempt_id)
            now = await attempts.now(conn)
        if attempt is None:
            raise attempt_errors.no_such_attempt()
        waited = timedelta(seconds=max(0.0, time.monotonic() - arrived))
        fault = _fault(attempt, now - min(waited, LATE_ARRIVALS))
        if fault is not None:
            raise attempt_errors.fault(fault)
        return attempt

    async def _check_question(self, attempt: Attempt, question_id: UUID) -> None:
        question = (await self._papers.get(attempt.exam_id)).by_id.get(question_id)
        if question is None or question.type != "image":
            detail = "A picture can be sent for a question of this exam that asks for one."
            raise invalid(detail, FieldError(("question_id",), "is no image question of this exam"))
        async with self._db.reading() as conn:
            sent = await files.count_answer_files(conn, attempt.student_id, attempt.id, question_id)
        if sent >= MAX_PER_ANSWER:
            raise conflict("too_many_files", f"At most {MAX_PER_ANSWER} pictures can be sent for a question.")


def _fault(attempt: Attempt, at: datetime) -> str | None:
    """Why no file is taken that came in at this moment."""
    match attempt.status:
        case Status.SUBMITTED:
            return "already_submitted"
        case Status.VOID:
            return "attempt_void"
        case Status.PAUSED:
            return "attempt_paused"
    late = at > attempt.deadline + timedelta(seconds=attempt.grace_seconds)
    return "time_limit_exceeded" if late or attempt.status is Status.EXPIRED else None
