"""Answer keys in Postgres."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from grading_service.domain.key import Key, QuestionType, from_document, to_document
from grading_service.tables import answer_keys


@dataclass(frozen=True)
class StoredKey:
    """The key of one question version, with what it must fit."""

    version_id: UUID
    type: QuestionType
    option_ids: tuple[str, ...]
    key: Key
    explanation: str


async def insert_new(conn: AsyncConnection, keys: Sequence[StoredKey]) -> None:
    """Store the keys whose version is not known yet; known ones stay as they are."""
    rows = [
        {
            "version_id": one.version_id,
            "type": one.type.value,
            "option_ids": list(one.option_ids),
            "key": to_document(one.key),
            "explanation": one.explanation,
        }
        for one in keys
    ]
    if rows:
        await conn.execute(insert(answer_keys).on_conflict_do_nothing(), rows)


async def by_version(conn: AsyncConnection, version_ids: Iterable[UUID]) -> dict[UUID, StoredKey]:
    """The keys of these versions; unknown ones are left out."""
    query = sa.select(answer_keys).where(answer_keys.c.version_id.in_(list(version_ids)))
    return {row.version_id: _stored(row) for row in (await conn.execute(query)).all()}


def _stored(row: sa.Row[tuple[object, ...]]) -> StoredKey:
    kind = QuestionType(row.type)
    key = from_document(kind, row.key)
    return StoredKey(row.version_id, kind, tuple(row.option_ids), key, row.explanation)
