"""Publishing: draft → publishing → published, each step committed, so that a crash is resumed where it was.

The paper is frozen here first, then in grading, and only when grading has a key for each question is the
exam published.
"""

from collections.abc import Sequence
from datetime import datetime
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

TRIES = 3

log = structlog.get_logger(__name__)


class Papers(Protocol):
    """Grading, as far as publishing needs it."""

    async def freeze(
        self, exam: ExamRow, paper: Paper, last_possible_end: datetime | None
    ) -> frozenset[UUID]: ...


async def publish_exam(db: Database, grading: Papers, actor: Actor, exam_id: UUID) -> ExamView:
    """Publish a draft, or go on with a publication that was interrupted. Idempotent, safe beside others.

    Raises not_found, not_publishable (409, with reasons), closed (409), unavailable (grading is away: the
    exam stays `publishing` and is resumed).
    """
    for _ in range(TRIES):
        await _begin(db, actor, exam_id)
        await _carry_on(db, grading, exam_id)
        async with db.reading() as conn:
            view = await read_view(conn, exam_id)
        if view.exam.status != "draft":
            return view
        # It was refused to somebody who asked at the same time: have it judged for this caller too.
    raise unavailable("Others are publishing this exam at the same time, try again.")


async def resume_publications(db: Database, grading: Papers, *, older_than: float = STUCK_SECONDS) -> int:
    """Finish what a crash or an absent grading left `publishing`; how many were looked at."""
    async with db.reading() as conn:
        stuck = await exams.stuck_publishing(conn, older_than)
    for exam_id in stuck:
        try:
            await _carry_on(db, grading, exam_id)
        except AppError as error:
            # Refused: it is a draft again, and the author will see why. Away: the next round tries again.
            log.warning("publication_not_resumed", code=error.code)
            if error.kind is Kind.UNAVAILABLE:
                break
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
        now: datetime = (await tx.conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
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
    """Settle an exam that is `publishing`, by what grading says of its paper."""
    try:
        reasons = await _settle(db, grading, exam_id)
    except AppError:
        metrics.publications.labels("interrupted").inc()
        raise
    if reasons:
        raise _refused(reasons)


@retry_deadlocks
async def _settle(db: Database, grading: Papers, exam_id: UUID) -> list[Reason]:
    """`published`, or `draft` for the reasons returned; nothing where another process settled it before.

    One process at a time asks grading about an exam: were there two, a call that is late could freeze there
    a paper that was taken back here, and mended, meanwhile. The lock is the transaction's, which therefore
    stays open during the call (some ms; FREEZE_SECONDS at the most); no row is locked before grading answers.
    """
    async with db.transaction() as tx:
        await exams.publish_alone(tx.conn, exam_id)
        exam = await exams.get_exam(tx.conn, exam_id)
        if exam is None or exam.status != "publishing":
            return []
        paper = await papers.read_frozen(tx.conn, exam_id)
        reasons = await _asked(grading, exam, paper, await read_last_possible_end(tx.conn, exam))
        exam = await locked(tx, exam_id)
        await (_back_to_draft(tx, exam, reasons) if reasons else _finish(tx, exam))
    if not reasons:
        metrics.publications.labels("published").inc()
    return reasons


async def _asked(grading: Papers, exam: ExamRow, paper: Paper, end: datetime | None) -> list[Reason]:
    """Why grading can't take the paper; empty when it has. Raises unavailable."""
    try:
        missing = await grading.freeze(exam, paper, end)
    except AppError as error:
        if error.kind not in {Kind.CONFLICT, Kind.INVALID, Kind.REFUSED}:
            raise
        return [Reason(error.code, error.detail)]
    return checklist.without_keys(paper, missing)


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
            "exam.publication_refused", "exam", exam.id, before={"status": "publishing"}, after=after
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
