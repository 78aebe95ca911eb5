"""Deciding anew about a question of an exam that was sat, taking that back, and what either would mean."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database, Tx
from examkit.errors import FieldError, conflict, invalid, not_found
from examkit.ids import uuid7
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.key import Key
from grading_service.domain.regrading import Regrade, RegradePolicy, regrade_faults, standing
from grading_service.repository import grades, regrades
from grading_service.repository.papers import KeyedQuestion, Paper, PaperCache
from grading_service.repository.regrades import Difference, Progress, Standing
from grading_service.repository.score_changes import Change
from grading_service.usecases.apply_regrades import changed_by

MOST_REASON = 2_000
PAGE = 200


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a decision about a question."""

    exam_id: UUID
    question_id: UUID
    policy: RegradePolicy
    key: Key | None
    reason: str


async def regrade(db: Database, cache: PaperCache, wanted: Wanted, actor_id: UUID, now: datetime) -> Regrade:
    """Put the decision down, from which moment it counts for every grade that is given.

    What stands already is not decided again, so that a repeated request changes nothing. The grades that
    there are follow by `apply_regrades`. Raises: conflict `not_published`, not_found, invalid.
    """
    async with db.transaction() as tx:
        paper = await _locked(tx, cache, wanted.exam_id)
        keyed = _checked(paper, wanted)
        stands = standing(paper.regrades, wanted.question_id)
        if stands and (stands[-1].policy, stands[-1].key) == (wanted.policy, wanted.key):
            return stands[-1]
        decided = _decided(paper, wanted, actor_id, now)
        await regrades.insert(tx.conn, decided, keyed.question.type)
        await tx.audit(_entry(decided, "question.regraded"))
    return decided


async def roll_back(
    db: Database,
    cache: PaperCache,
    exam_id: UUID,
    regrade_id: UUID,
    reason: str,
    actor_id: UUID,
    now: datetime,
) -> Regrade:
    """Take a decision back: what counted before it counts again. It stays on record, as does this.

    Raises: not_found; invalid; conflict `not_published`, `already_rolled_back`, `not_a_regrade`.
    """
    if not reason.strip() or len(reason) > MOST_REASON:
        raise invalid(
            "Say why.", FieldError(("reason",), f"Give a reason of at most {MOST_REASON} characters.")
        )
    async with db.transaction() as tx:
        paper = await _locked(tx, cache, exam_id)
        undone = next((one for one in paper.regrades if one.id == regrade_id), None)
        if undone is None:
            raise not_found("This exam has no such regrade.")
        if undone.policy is RegradePolicy.ROLLBACK:
            raise conflict("not_a_regrade", "A rollback can't be rolled back: regrade the question again.")
        if any(one.undoes == regrade_id for one in paper.regrades):
            raise conflict("already_rolled_back", "This regrade was rolled back already.")
        decided = Regrade(
            id=uuid7(),
            exam_id=exam_id,
            question_id=undone.question_id,
            version=paper.version + 1,
            policy=RegradePolicy.ROLLBACK,
            key=None,
            reason=reason,
            actor_id=actor_id,
            at=now,
            undoes=regrade_id,
        )
        await regrades.insert(tx.conn, decided, paper.by_id[str(undone.question_id)].question.type)
        await tx.audit(_entry(decided, "regrade.rolled_back"))
    return decided


async def preview(
    db: Database, cache: PaperCache, wanted: Wanted, actor_id: UUID, now: datetime
) -> tuple[Regrade, list[Difference]]:
    """What the decision would mean for each graded attempt, those first for which it means something.

    Nothing is changed. Raises as `regrade`.
    """
    found: list[Difference] = []
    async with db.reading() as conn:
        found_paper = await _paper(conn, cache, wanted.exam_id, await regrades.progress(conn, wanted.exam_id))
        _checked(found_paper, wanted)
        paper = found_paper.after(_decided(found_paper, wanted, actor_id, now))
        after: UUID | None = None
        while page := await regrades.grades_of_exam(conn, wanted.exam_id, after, PAGE):
            items = await grades.items(conn, [(one.student_id, one.student_exam_id) for one in page])
            found += [_difference(changed_by(paper, one, items[one.student_exam_id], now)) for one in page]
            after = page[-1].student_exam_id
    return paper.regrades[-1], sorted(found, key=lambda one: one.before == one.after)


async def _locked(tx: Tx, cache: PaperCache, exam_id: UUID) -> Paper:
    """The paper as of now; who grades or regrades this exam waits until the transaction ends."""
    return await _paper(tx.conn, cache, exam_id, await regrades.progress(tx.conn, exam_id, lock=True))


async def _paper(conn: AsyncConnection, cache: PaperCache, exam_id: UUID, progress: Progress | None) -> Paper:
    if progress is None:
        raise conflict("not_published", "This exam has no published paper. Publish it first.")
    return await cache.get(conn, exam_id, progress.rules)


def _checked(paper: Paper, wanted: Wanted) -> KeyedQuestion:
    """The question, where the decision fits it."""
    keyed = paper.by_id.get(str(wanted.question_id))
    if keyed is None:
        raise not_found("The paper of this exam has no such question.")
    asked = keyed.question
    wrong = regrade_faults(asked.type, asked.option_ids, wanted.policy, wanted.key)
    if len(wanted.reason) > MOST_REASON:
        wrong.append(FieldError(("reason",), f"At most {MOST_REASON} characters."))
    if wrong:
        raise invalid("This regrade does not fit the question.", *wrong)
    return keyed


def _decided(paper: Paper, wanted: Wanted, actor_id: UUID, now: datetime) -> Regrade:
    return Regrade(
        id=uuid7(),
        exam_id=wanted.exam_id,
        question_id=wanted.question_id,
        version=paper.version + 1,
        policy=wanted.policy,
        key=wanted.key,
        reason=wanted.reason,
        actor_id=actor_id,
        at=now,
    )


def _difference(change: Change) -> Difference:
    before, after = change.before.totals, change.after.totals
    return Difference(
        student_id=change.before.student_id,
        student_exam_id=change.before.student_exam_id,
        attempt_no=change.before.attempt_no,
        before=Standing(before.total, before.max_possible),
        after=Standing(after.total, after.max_possible),
    )


def _entry(decided: Regrade, action: str) -> AuditEntry:
    return AuditEntry(
        actor_id=decided.actor_id,
        action=action,
        object_type="exam",
        object_id=decided.exam_id,
        after={
            "regrade_id": str(decided.id),
            "question_id": str(decided.question_id),
            "policy": decided.policy.value,
            **({"undoes": str(decided.undoes)} if decided.undoes else {}),
        },
        reason=decided.reason or None,
    )
