"""Building exams: creating, changing, deleting them, and choosing their questions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import FieldError
from examkit.ids import uuid7

from exam_service import errors
from exam_service.domain import exam as rules
from exam_service.domain.exam import ExamSettings
from exam_service.repository import exams, questions
from exam_service.repository.exams import ExamQuestionRow, ExamRow
from exam_service.usecases import deadlines
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_events import publish_exam_changed
from exam_service.usecases.exam_views import ExamView, read_view, view_of

MAX_QUESTIONS = 1000


async def locked(tx: Tx, exam_id: UUID) -> ExamRow:
    """The exam, which nobody else changes until the commit. Raises not_found."""
    exam = await exams.get_exam(tx.conn, exam_id, lock="update")
    if exam is None:
        raise errors.no_such_exam()
    return exam


async def create_exam(db: Database, actor: Actor, settings: ExamSettings) -> ExamView:
    """A new draft, open to all students. Raises invalid."""
    _check(settings)
    async with db.transaction() as tx:
        exam = await exams.insert_exam(tx.conn, uuid7(), settings)
        after = rules.auditable(settings, frozenset(rules.SETTING_NAMES))
        await tx.audit(actor.did("exam.created", "exam", exam.id, after=after))
        return await view_of(tx.conn, exam)


async def update_exam(db: Database, actor: Actor, exam_id: UUID, changes: Mapping[str, Any]) -> ExamView:
    """Set these settings. From publishing on only those of EDITABLE_WHEN_PUBLISHED may change.

    A changed window moves the deadlines of running attempts. Raises not_found, published (409), invalid.
    """
    view, moves_deadlines = await _update(db, actor, exam_id, changes)
    if moves_deadlines:
        await deadlines.settle_now(db, exam_id)
    return view


@retry_deadlocks
async def _update(
    db: Database, actor: Actor, exam_id: UUID, changes: Mapping[str, Any]
) -> tuple[ExamView, bool]:
    """The exam, and whether its window changed while it may be sat."""
    async with db.transaction() as tx:
        exam = await locked(tx, exam_id)
        settings = replace(exam.settings, **changes)
        changed = rules.changed(exam.settings, settings)
        if not changed:
            return await view_of(tx.conn, exam), False
        _check(settings)
        frozen = changed - rules.EDITABLE_WHEN_PUBLISHED
        if frozen and exam.status != "draft":
            raise errors.published(frozen)
        updated = await exams.update_exam(
            tx.conn, exam_id, {name: getattr(settings, name) for name in changed}
        )
        moves_deadlines = exam.is_visible and bool(changed & rules.WINDOW)
        if moves_deadlines:
            await deadlines.set_due(tx, exam_id)
        await publish_exam_changed(tx, exam_id)
        await tx.audit(
            actor.did(
                "exam.updated",
                "exam",
                exam_id,
                before=rules.auditable(exam.settings, changed),
                after=rules.auditable(settings, changed),
            )
        )
        return await view_of(tx.conn, updated), moves_deadlines


@retry_deadlocks
async def delete_exam(db: Database, actor: Actor, exam_id: UUID) -> None:
    """Remove a draft. Raises not_found, published (409)."""
    async with db.transaction() as tx:
        exam = await locked(tx, exam_id)
        if exam.status != "draft":
            raise errors.published()
        await exams.delete_exam(tx.conn, exam_id)
        before = rules.auditable(exam.settings, frozenset({"title"}))
        await tx.audit(actor.did("exam.deleted", "exam", exam_id, before=before))


@retry_deadlocks
async def set_questions(
    db: Database, actor: Actor, exam_id: UUID, chosen: Sequence[ExamQuestionRow]
) -> ExamView:
    """Choose the questions of a draft, in their order.

    Raises not_found, published (409), invalid (an unknown question, the same one twice, wrong points).
    """
    problems = _choice_problems(chosen)
    if problems:
        raise errors.invalid_fields(problems)
    async with db.transaction() as tx:
        exam = await locked(tx, exam_id)
        before = await exams.exam_questions_of(tx.conn, exam_id)
        if exam.status != "draft":
            if list(chosen) == before:
                return await read_view(tx.conn, exam_id)
            raise errors.published({"questions"})
        live = await questions.live_ids(tx.conn, {choice.question_id for choice in chosen}, lock=True)
        unknown = [
            FieldError(("questions", place, "question_id"), "there is no such question")
            for place, choice in enumerate(chosen)
            if choice.question_id not in live
        ]
        if unknown:
            raise errors.invalid_fields(unknown)
        await exams.replace_exam_questions(tx.conn, exam_id, chosen)
        updated = await exams.update_exam(tx.conn, exam_id, {})
        await tx.audit(
            actor.did(
                "exam.questions_set",
                "exam",
                exam_id,
                before={"questions": _auditable(before)},
                after={"questions": _auditable(chosen)},
            )
        )
        return await view_of(tx.conn, updated)


def _check(settings: ExamSettings) -> None:
    problems = rules.problems(settings)
    if problems:
        raise errors.invalid_fields(problems)


def _choice_problems(chosen: Sequence[ExamQuestionRow]) -> list[FieldError]:
    if len(chosen) > MAX_QUESTIONS:
        return [FieldError(("questions",), f"an exam has at most {MAX_QUESTIONS} questions")]
    found: list[FieldError] = []
    seen: set[UUID] = set()
    for place, choice in enumerate(chosen):
        if choice.question_id in seen:
            found.append(FieldError(("questions", place, "question_id"), "this question is there twice"))
        seen.add(choice.question_id)
        points = choice.points_hundredths
        if points is not None and not 1 <= points <= rules.MAX_POINTS_HUNDREDTHS:
            found.append(FieldError(("questions", place, "points"), "must be from 0.01 to 1000"))
    return found


def _auditable(chosen: Sequence[ExamQuestionRow]) -> list[dict[str, Any]]:
    return [
        {"question_id": str(choice.question_id), "points_hundredths": choice.points_hundredths}
        for choice in chosen
    ]
