"""The question bank: putting content in, and taking a question out."""

from collections.abc import Sequence
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database, retry_deadlocks
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import errors, metrics
from exam_service.domain.bank import BankEntry, NewVersion, Outcome, Plan, PutItem, plan
from exam_service.repository import audit, exams, files, questions
from exam_service.usecases.actor import Actor


@retry_deadlocks
async def put_questions(db: Database, actor: Actor, items: Sequence[PutItem]) -> tuple[Outcome, ...]:
    """Write new versions, in order, in one transaction; one outcome for each item.

    Idempotent by version id. A rejected item doesn't keep the others from being written.
    """
    async with db.transaction() as tx:
        now = await questions.lock_bank(tx.conn)
        planned = await _planned(tx.conn, items, lock=True)
        await questions.write_versions(tx.conn, planned.versions, now)
        await audit.insert_entries(tx.conn, [_entry(actor, version) for version in planned.versions])
    for outcome in planned.outcomes:
        metrics.questions_put.labels(outcome.kind).inc()
    return planned.outcomes


async def check_questions(db: Database, items: Sequence[PutItem]) -> tuple[Outcome, ...]:
    """What `put_questions` would answer as the bank stands now; nothing is changed."""
    async with db.reading() as conn:
        return (await _planned(conn, items, lock=False)).outcomes


async def _planned(conn: AsyncConnection, items: Sequence[PutItem], *, lock: bool) -> Plan:
    entries = await questions.find_entries(
        conn,
        {item.question_id or item.fallback_id for item in items},
        {item.content.external_id for item in items if item.content.external_id},
        lock=lock,
    )
    known = await questions.known_versions(conn, {item.version_id for item in items})
    named = {file_id for item in items for file_id in item.content.files}
    # With the bank's lock come those that write: from here on the pictures stay.
    uploaded = await files.known_question_files(conn, named, naming=lock)
    return plan(items, entries, known, uploaded)


@retry_deadlocks
async def archive_question(db: Database, actor: Actor, question_id: UUID) -> None:
    """Take a question out of the bank; papers keep it. Raises not_found, in_use (409)."""
    async with db.transaction() as tx:
        entry = await questions.lock_question(tx.conn, question_id)
        if entry is None or entry.archived:
            raise errors.no_such_question()
        if await exams.is_in_a_draft(tx.conn, question_id):
            raise errors.in_use()
        await questions.archive(tx.conn, question_id)
        await tx.audit(actor.did("question.archived", "question", question_id, before=_state(entry)))


def _entry(actor: Actor, version: NewVersion) -> AuditEntry:
    before = version.before
    return actor.did(
        "question.created" if before is None else "question.updated",
        "question",
        version.entry.question_id,
        before=None if before is None else _state(before),
        after=_state(version.entry),
    )


def _state(entry: BankEntry) -> dict[str, object]:
    # The content itself is in the versions, which nobody can change.
    return {
        "version": entry.version,
        "version_id": str(entry.version_id),
        "external_id": entry.external_id or None,
    }
