"""The question bank: versions that never change, and the row that says which one is current."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.domain.bank import BankEntry, NewVersion, final_entries
from exam_service.domain.question import QuestionContent
from exam_service.repository.bulk import insert_records
from exam_service.repository.papers import options_of
from exam_service.tables import question_versions, questions

_UUIDS: pg.ARRAY[UUID] = pg.ARRAY(sa.Uuid)
_TEXTS: pg.ARRAY[str] = pg.ARRAY(sa.Text)


@dataclass(frozen=True)
class QuestionRow:
    """A question of the bank at its current version."""

    id: UUID
    version: int
    version_id: UUID
    content: QuestionContent
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class QuestionFilter:
    """Empty members don't filter. `q`: part of the text, in any case."""

    category: str = ""
    tag: str = ""
    type: str = ""
    q: str = ""


_CURRENT = (
    sa.select(
        questions.c.id,
        questions.c.version,
        questions.c.version_id,
        questions.c.created_at,
        questions.c.updated_at,
        question_versions.c.type,
        question_versions.c.text,
        question_versions.c.options,
        question_versions.c.points_hundredths,
        question_versions.c.category,
        question_versions.c.tags,
        question_versions.c.external_id,
        question_versions.c.media,
    )
    .join(question_versions, question_versions.c.id == questions.c.version_id)
    .where(questions.c.archived_at.is_(None))
)


async def get_question(conn: AsyncConnection, question_id: UUID) -> QuestionRow | None:
    """The question, or None; one that was taken out of the bank is not found either."""
    row = (await conn.execute(_CURRENT.where(questions.c.id == question_id))).one_or_none()
    return None if row is None else _question(row)


async def list_questions(
    conn: AsyncConnection,
    wanted: QuestionFilter,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[QuestionRow]:
    """Newest first; `after` is the sort key of the last row seen."""
    query = _CURRENT.order_by(questions.c.created_at.desc(), questions.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(questions.c.created_at, questions.c.id) < sa.tuple_(*after))
    if wanted.category:
        query = query.where(questions.c.category == wanted.category)
    if wanted.tag:
        query = query.where(questions.c.tags.contains([wanted.tag]))
    if wanted.type:
        query = query.where(questions.c.type == wanted.type)
    if wanted.q:
        query = query.where(question_versions.c.text.icontains(wanted.q, autoescape=True))
    return [_question(row) for row in await conn.execute(query)]


async def live_ids(
    conn: AsyncConnection, question_ids: Collection[UUID], *, lock: bool = False
) -> frozenset[UUID]:
    """Which of these are questions of the bank. `lock`: none of them leaves it before the commit."""
    query = sa.select(questions.c.id).where(
        questions.c.id == sa.any_(sa.literal(list(question_ids), _UUIDS)), questions.c.archived_at.is_(None)
    )
    if lock:
        query = query.order_by(questions.c.id).with_for_update(read=True)
    return frozenset(await conn.scalars(query))


async def lock_question(conn: AsyncConnection, question_id: UUID) -> BankEntry | None:
    query = _ENTRIES.where(questions.c.id == question_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _entry(row)


async def archive(conn: AsyncConnection, question_id: UUID) -> None:
    """The caller holds the lock."""
    await conn.execute(
        questions.update()
        .where(questions.c.id == question_id)
        .values(archived_at=sa.func.now(), updated_at=sa.func.now())
    )


# Putting content in.

_ENTRIES = sa.select(
    questions.c.id,
    questions.c.version,
    questions.c.version_id,
    questions.c.external_id,
    questions.c.archived_at,
)


async def lock_bank(conn: AsyncConnection) -> datetime:
    """Wait for one's turn to write content, until the commit; the transaction's time.

    Batches take turns: so two that bring the same external id meet in order, instead of as a unique
    violation or a deadlock, and a call repeated while the first is still running finds what that one wrote.
    """
    await conn.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.questions', 0))")
    )
    now: datetime = (await conn.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def known_versions(
    conn: AsyncConnection, version_ids: Collection[UUID]
) -> Mapping[UUID, tuple[UUID, int]]:
    """Of these version ids those that exist: the question and the version they were stored as."""
    query = sa.select(
        question_versions.c.id, question_versions.c.question_id, question_versions.c.version
    ).where(question_versions.c.id == sa.any_(sa.literal(list(version_ids), _UUIDS)))
    return {row.id: (row.question_id, row.version) for row in await conn.execute(query)}


async def find_entries(
    conn: AsyncConnection, question_ids: Collection[UUID], external_ids: Collection[str], *, lock: bool
) -> list[BankEntry]:
    """The questions with these ids (archived ones too) or external ids. `lock`: until the commit."""
    by_id = questions.c.id == sa.any_(sa.literal(list(question_ids), _UUIDS))
    by_external_id = sa.and_(
        questions.c.archived_at.is_(None),
        questions.c.external_id == sa.any_(sa.literal(list(external_ids), _TEXTS)),
    )
    query = _ENTRIES.where(sa.or_(by_id, by_external_id)).order_by(questions.c.id)
    if lock:
        query = query.with_for_update()
    return [_entry(row) for row in await conn.execute(query)]


async def write_versions(conn: AsyncConnection, versions: Sequence[NewVersion], now: datetime) -> None:
    """Write new versions and make the last of each question current. A few statements, however many rows."""
    final = final_entries(versions)
    moved = [
        item.entry.question_id
        for item in final
        if item.before is not None and item.before.external_id not in {"", item.entry.external_id}
    ]
    if moved:
        # First of all: another row of this batch may take over what these give up.
        await conn.execute(
            questions.update()
            .where(questions.c.id == sa.any_(sa.literal(moved, _UUIDS)))
            .values(external_id=None)
        )
    await insert_records(
        conn,
        questions,
        # A microsecond apart, so that lists keep the order of the batch.
        [_current(item, now + timedelta(microseconds=place)) for place, item in enumerate(final)],
        replacing=("version", "version_id", "external_id", "type", "category", "tags", "updated_at"),
    )
    await insert_records(conn, question_versions, [_version(item, now) for item in versions])


def _current(item: NewVersion, now: datetime) -> dict[str, Any]:
    return {
        "id": item.entry.question_id,
        "version": item.entry.version,
        "version_id": item.entry.version_id,
        "external_id": item.entry.external_id or None,
        "type": item.content.type,
        "category": item.content.category,
        "tags": item.content.tags,
        "created_at": now,
        "updated_at": now,
    }


def _version(item: NewVersion, now: datetime) -> dict[str, Any]:
    content = item.content
    return {
        "id": item.entry.version_id,
        "question_id": item.entry.question_id,
        "version": item.entry.version,
        "type": content.type,
        "text": content.text,
        "options": [{"id": option.id, "text": option.text} for option in content.options],
        "points_hundredths": content.points_hundredths,
        "category": content.category,
        "tags": content.tags,
        "external_id": content.external_id or None,
        "media": content.media,
        "created_at": now,
    }


def _entry(row: Any) -> BankEntry:
    return BankEntry(
        question_id=row.id,
        version=row.version,
        version_id=row.version_id,
        external_id=row.external_id or "",
        archived=row.archived_at is not None,
    )


def _question(row: Any) -> QuestionRow:
    return QuestionRow(
        id=row.id,
        version=row.version,
        version_id=row.version_id,
        content=QuestionContent(
            type=row.type,
            text=row.text,
            options=options_of(row.options),
            points_hundredths=row.points_hundredths,
            category=row.category,
            tags=tuple(row.tags),
            external_id=row.external_id or "",
            media=row.media,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
