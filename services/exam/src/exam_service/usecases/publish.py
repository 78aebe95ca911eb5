"""Publishing: draft → publishing → published, each step committed, so that a crash is resumed where it was.

The paper is frozen here first, then in grading, and only when grading has a key for each question is the
exam published. Grading is asked with a connection in hand; `Papers.turn` keeps that to one in each process.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
import structlog
from examkit.audit import AuditEntry
from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import AppError, Kind, unavailable

from exam_service import errors, metrics
from exam_service.domain import publish as checklist
from exam_service.domain.paper import Paper
from exam_service.domain.publish import Reason
from exam_service.repository import exams, papers, questions
from exam_service.repository.exams import ExamRow
from exam_service.usecases.actor import SYSTEM, Actor
from exam_service.usecases.exam_events import publish_exam_changed, read_last_possible_end
from exam_service.usecases.exam_views import ExamView, read_view
from exam_service.usecases.exams import locked

STUCK_SECONDS = 15.0
"""Longer than a call to grading may take: who is still at it is left alone."""

GIVE_UP_AFTER = timedelta(minutes=5)
"""For this long a grading that fails is asked again; then the exam is a draft again, which can be mended."""

TRIES = 3
TURN_SECONDS = 3.0
"""How long to wait, without a connection, for others who have an exam published."""

_PAUSE_SECONDS = 0.1
_REFUSALS = frozenset({Kind.CONFLICT, Kind.INVALID, Kind.REFUSED})

log = structlog.get_logger(__name__)


class Papers(Protocol):
    """Grading, as far as publishing needs it. One for each process."""

    @property
    def turn(self) -> asyncio.Lock:
        """Held around a transaction that asks grading: however long it hangs, it keeps one connection."""
        ...

    async def freeze(
        self, exam: ExamRow, paper: Paper, last_possible_end: datetime | None
    ) -> frozenset[UUID]: ...


async def publish_exam(db: Database, grading: Papers, actor: Actor, exam_id: UUID) -> ExamView:
    """Publish a draft, or go on with a publication that was interrupted. Idempotent, safe beside others.

    Raises not_found, not_publishable (409, with reasons), closed (409), unavailable (grading is away, or
    others are at it: the exam stays `publishing` and is resumed).
    """
    for _ in range(TRIES):
        await _begin(db, actor, exam_id)
        await _carry_on(db, grading, exam_id)
        async with db.reading() as conn:
            view = await read_view(conn, exam_id)
        if view.exam.status != "draft":
            return view
        # It was refused to somebody who asked at the same time: have it judged for this caller too.
    raise _busy()


async def resume_publications(db: Database, grading: Papers, *, older_than: float = STUCK_SECONDS) -> int:
    """Finish what a crash or an absent grading left `publishing`; how many were looked at."""
    async with db.reading() as conn:
        stuck = await exams.stuck_publishing(conn, older_than)
    for exam_id in stuck:
        try:
            await _carry_on(db, grading, exam_id)
        except AppError as error:
            # Refused: it is a draft again, and the author will see why. Away: the next round tries again.
            log.warning("publication_not_resumed", exam_id=str(exam_id), code=error.code)
            if error.kind is Kind.UNAVAILABLE:
                break
        except Exception:
            log.exception("publication_not_resumed", exam_id=str(exam_id))
    return len(stuck)


@retry_deadlocks
async def _begin(db: Database, actor: Actor, exam_id: UUID) -> None:
    """Freeze the paper here, at the versions that are current now; nothing where that was done before."""
    async with db.transaction() as tx:
        exam = await locked(tx, exam_id)
        if exam.status == "closed":
            raise errors.closed()
        if exam.status != "draft":
            return
        paper = await papers.read_draft(tx.conn, exam_id)
        live = await questions.live_ids(tx.conn, [question.question_id for question in paper.questions])
        now = await _now(tx)
        reasons = checklist.reasons(exam.settings, paper, live, now)
        if reasons:
            raise _refused(reasons)
        await papers.insert(tx.conn, paper)
        publishing: dict[str, Any] = {
            "status": "publishing",
            "publishing_at": now,
            "publishing_by": actor.id,
            "question_count": paper.question_count,
            "max_possible_hundredths": paper.max_possible_hundredths,
        }
        await exams.update_exam(tx.conn, exam_id, publishing)
        await tx.audit(_moved(actor, exam_id, "exam.publication_begun", "draft", "publishing"))


async def _carry_on(db: Database, grading: Papers, exam_id: UUID) -> None:
    """Settle an exam that is `publishing`, by what grading says of its paper.

    Who waits for others, in this process or another, holds no connection. Raises not_publishable, and
    unavailable where the others take too long.
    """
    give_up = asyncio.get_running_loop().time() + TURN_SECONDS
    while True:
        async with _turn(grading, give_up):
            reasons = await _settled(db, grading, exam_id)
        if reasons is not None:
            break
        if asyncio.get_running_loop().time() >= give_up:
            raise _busy()
        await asyncio.sleep(_PAUSE_SECONDS * (0.5 + random.random()))  # noqa: S311 - jitter
    if reasons:
        raise _refused(reasons)


@asynccontextmanager
async def _turn(grading: Papers, give_up: float) -> AsyncIterator[None]:
    """This process's turn to ask grading. Raises unavailable where it does not come until `give_up`."""
    try:
        async with asyncio.timeout_at(give_up):
            await grading.turn.acquire()
    except TimeoutError:
        raise _busy() from None
    try:
        yield
    finally:
        grading.turn.release()


async def _settled(db: Database, grading: Papers, exam_id: UUID) -> list[Reason] | None:
    try:
        return await _settle(db, grading, exam_id)
    except Exception:
        metrics.publications.labels("interrupted").inc()
        raise


@retry_deadlocks
async def _settle(db: Database, grading: Papers, exam_id: UUID) -> list[Reason] | None:
    """`published`, or `draft` for the reasons returned; nothing where another process settled it before.

    None where another process is at it. One at a time asks grading about an exam: were there two, a call
    that is late could freeze there a paper that was taken back here, and mended, meanwhile. The lock is the
    transaction's, which therefore stays open during the call (some ms; FREEZE_SECONDS at the most); no row
    is locked before grading answers.
    """
    async with db.transaction() as tx:
        if not await exams.publish_alone(tx.conn, exam_id):
            return None
        exam = await exams.get_exam(tx.conn, exam_id)
        if exam is None or exam.status != "publishing":
            return []
        paper = await papers.read_frozen(tx.conn, exam_id)
        end = await read_last_possible_end(tx.conn, exam)
        reasons = await _asked(grading, exam, paper, end, last_try=await _is_last_try(tx, exam))
        exam = await locked(tx, exam_id)
        await (_back_to_draft(tx, exam, reasons) if reasons else _finish(tx, exam))
    if not reasons:
        metrics.publications.labels("published").inc()
    return reasons


async def _asked(
    grading: Papers, exam: ExamRow, paper: Paper, end: datetime | None, *, last_try: bool
) -> list[Reason]:
    """Why grading can't take the paper; empty when it has. Raises unavailable, and what failed.

    `last_try`: a failure is a reason too. Not that grading is away: it will be back.
    """
    try:
        missing = await grading.freeze(exam, paper, end)
    except Exception as error:
        if isinstance(error, AppError):
            if error.kind in _REFUSALS:
                return [Reason(error.code, error.detail)]
            if error.kind is Kind.UNAVAILABLE:
                raise
        if not last_try:
            raise
        log.exception("publication_given_up", exam_id=str(exam.id))
        return [Reason("grading_failed", "Grading failed to take the paper, again and again.")]
    return checklist.without_keys(paper, missing)


async def _is_last_try(tx: Tx, exam: ExamRow) -> bool:
    return exam.publishing_at is not None and await _now(tx) - exam.publishing_at > GIVE_UP_AFTER


async def _now(tx: Tx) -> datetime:
    moment: datetime = (await tx.conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return moment


async def _finish(tx: Tx, exam: ExamRow) -> None:
    published = {"status": "published", "published_at": sa.func.clock_timestamp()}
    await exams.update_exam(tx.conn, exam.id, published)
    await publish_exam_changed(tx, exam.id)
    await tx.audit(_moved(_by(exam), exam.id, "exam.published", "publishing", "published"))


async def _back_to_draft(tx: Tx, exam: ExamRow, reasons: Sequence[Reason]) -> None:
    await papers.delete(tx.conn, exam.id)
    draft: dict[str, Any] = {
        "status": "draft",
        "publishing_at": None,
        "publishing_by": None,
        "question_count": None,
        "max_possible_hundredths": None,
    }
    await exams.update_exam(tx.conn, exam.id, draft)
    after = {"status": "draft", "reasons": [reason.as_json() for reason in reasons]}
    await tx.audit(
        _by(exam).did(
            "exam.publication_refused",
            "exam",
            exam.id,
            before={"status": "publishing"},
            after=after,
            reason=reasons[0].detail,
        )
    )


def _by(exam: ExamRow) -> Actor:
    # Whoever finishes it, it is done for the person who asked.
    return SYSTEM if exam.publishing_by is None else Actor(exam.publishing_by)


def _moved(actor: Actor, exam_id: UUID, action: str, before: str, after: str) -> AuditEntry:
    return actor.did(action, "exam", exam_id, before={"status": before}, after={"status": after})


def _refused(reasons: Sequence[Reason]) -> AppError:
    metrics.publications.labels("refused").inc()
    return errors.not_publishable([reason.as_json() for reason in reasons])


def _busy() -> AppError:
    return unavailable("Others are publishing at the same time, try again.")
