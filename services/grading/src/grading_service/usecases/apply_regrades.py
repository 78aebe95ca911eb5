"""Bringing the grades of an exam to what was decided: chunk by chunk, by whoever comes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.clock import Clock
from examkit.db import Database, Tx

from grading_service import metrics
from grading_service.domain.regrading import Regrade
from grading_service.domain.scoring import Mark, totals
from grading_service.domain.student_view import GradedItem
from grading_service.repository import grades, regrades, score_changes
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.papers import Paper, PaperCache
from grading_service.repository.score_changes import Change
from grading_service.usecases.grade_attempts import graded_event, write_views

CHUNK = 100
PAUSE_SECONDS = 0.05


async def apply_all(db: Database, cache: PaperCache, clock: Clock) -> None:
    """A step of the worker: whatever was decided and has not reached every grade, also before a crash."""
    async with db.reading() as conn:
        exam_ids = await regrades.unapplied(conn)
    for exam_id in exam_ids:
        while await apply_some(db, cache, exam_id, clock()):
            pass


async def apply_within(
    db: Database, cache: PaperCache, decided: Regrade, clock: Clock, seconds: float
) -> bool:
    """Apply the exam's regrades up to this one; False where it takes longer: then the worker goes on."""
    try:
        async with asyncio.timeout(seconds):
            while not await _is_applied(db, decided):
                if not await apply_some(db, cache, decided.exam_id, clock()):
                    # Somebody else holds the rest.
                    await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError:
        return False
    return True


async def apply_some(db: Database, cache: PaperCache, exam_id: UUID, now: datetime) -> bool:
    """Bring some grades one regrade further, in a transaction of their own. False: there are none."""
    async with db.transaction() as tx:
        progress = await regrades.progress(tx.conn, exam_id)
        if progress is None or progress.applied == progress.rules:
            return False
        version = progress.applied + 1
        due = await regrades.lock_due(tx.conn, exam_id, version, CHUNK)
        if due:
            changed = await _apply(tx, await cache.get(tx.conn, exam_id, version), due, now)
    if due:
        metrics.regraded.inc(changed)
        return True
    async with db.statement() as conn:
        return await regrades.settle(conn, exam_id, version)


async def _is_applied(db: Database, decided: Regrade) -> bool:
    async with db.reading() as conn:
        progress = await regrades.progress(conn, decided.exam_id)
    return progress is None or progress.applied >= decided.version


async def _apply(tx: Tx, paper: Paper, due: Sequence[GradedAttempt], now: datetime) -> int:
    regrade = paper.regrades[-1]
    items = await grades.items(tx.conn, [(one.student_id, one.student_exam_id) for one in due])
    changes = [changed_by(paper, one, items[one.student_exam_id], now) for one in due]
    changed = [change for change in changes if change.is_one]
    await score_changes.put_changes(tx.conn, changes)
    await score_changes.keep_regraded(tx.conn, regrade.id, changed, now)
    # Of all of them: the right answer that is shown may be another, whatever it did to the score.
    await write_views(tx, [(paper, one.after, one.items) for one in changes])
    await tx.audit(*(_entry(regrade, change) for change in changed))
    for change in changed:
        tx.publish(graded_event(change.after))
    return len(changed)


def changed_by(paper: Paper, grade: GradedAttempt, items: Sequence[GradedItem], now: datetime) -> Change:
    """What the paper's last regrade makes of a grade that has all earlier ones in it."""
    regrade = paper.regrades[-1]
    question_id = str(regrade.question_id)
    (before,) = (item for item in items if item.question_id == question_id)
    after = replace(before, mark=paper.earned(question_id, before.answer, before.marked_score))
    items = [after if item is before else item for item in items]
    regraded = replace(grade, rules_version=regrade.version)
    if after.mark != before.mark:
        regraded = replace(
            regraded,
            totals=totals((item.mark, item.max_score) for item in items),
            revision=grade.revision + 1,
            changes=[*grade.changes, _told(regrade, before.mark, after.mark)],
            graded_at=now,
        )
    return Change(grade, regraded, before, after, items)


def _told(regrade: Regrade, before: Mark, after: Mark) -> dict[str, Any]:
    """What the student is told of it; a question that does not count has no score."""
    return {
        "question_id": str(regrade.question_id),
        "policy": regrade.policy.value,
        "reason": regrade.reason,
        "at": regrade.at.isoformat(),
        "score_before": _score(before),
        "score_after": _score(after),
    }


def _score(mark: Mark) -> int | None:
    return None if mark.status == "excluded" else mark.score


def _entry(regrade: Regrade, change: Change) -> AuditEntry:
    return AuditEntry(
        actor_id=regrade.actor_id,
        action="attempt.regraded",
        object_type="attempt",
        object_id=change.after.student_exam_id,
        before=_points(change.item_before, change.before),
        after=_points(change.item_after, change.after) | {"regrade_id": str(regrade.id)},
        reason=regrade.reason or None,
    )


def _points(item: GradedItem, grade: GradedAttempt) -> dict[str, Any]:
    return {
        "question_id": item.question_id,
        "status": item.mark.status,
        "score": None if item.mark.score is None else item.mark.score / 100,
        "total_score": grade.totals.total / 100,
        "max_possible": grade.totals.max_possible / 100,
    }
