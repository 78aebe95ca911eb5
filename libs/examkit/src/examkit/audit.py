"""The audit trail of a service: written with the change it tells of, served to the staff surface."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from examprotos.common.v1 import audit_pb2, audit_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncConnection

from examkit import shared_tables
from examkit.errors import invalid
from examkit.ids import uuid7
from examkit.rpc.context import current_request_id

if TYPE_CHECKING:
    from examkit.db import Database

MOST_ENTRIES = 200
_USUAL_ENTRIES = 50
_AUDIT = shared_tables.define(sa.MetaData()).audit
_FILTERS = ("actor_id", "object_type", "object_id", "action")


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what to what. `action` is noun.verb in the past tense (`exam.published`).

    `actor_kind` is `user`, or `service` where the system itself acted (then `actor_id` may be None).
    `before`, `after`: JSON-able, only what changed; never answers, keys or passwords.
    `request_id` is the current call's unless told.
    """

    actor_id: UUID | str | None
    actor_kind: str = "user"
    action: str
    object_type: str
    object_id: UUID | str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str | None = None
    request_id: str | None = None


async def insert_entries(conn: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Write these entries in the transaction of this connection."""
    rows = [
        {
            "id": uuid7(),
            "actor_id": None if entry.actor_id is None else str(entry.actor_id),
            "actor_kind": entry.actor_kind,
            "action": entry.action,
            "object_type": entry.object_type,
            "object_id": str(entry.object_id),
            "before": None if entry.before is None else dict(entry.before),
            "after": None if entry.after is None else dict(entry.after),
            "reason": entry.reason,
            "request_id": entry.request_id or current_request_id() or None,
        }
        for entry in entries
    ]
    if rows:
        await conn.execute(_AUDIT.insert(), rows)


class AuditServicer(audit_pb2_grpc.AuditLogServicer):
    """Serves `examhall.common.v1.AuditLog` from the service's own table; who may call is the policy's say."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def List(  # noqa: N802 - the name of the RPC
        self, request: audit_pb2.ListRequest, context: Any
    ) -> audit_pb2.ListResponse:
        """Newest first."""
        async with self._db.reading() as conn:
            rows = (await conn.execute(_selection(request))).all()
        return audit_pb2.ListResponse(items=[_entry(row) for row in rows])


def _selection(request: audit_pb2.ListRequest) -> sa.Select[Any]:
    limit = min(request.limit, MOST_ENTRIES) if request.limit > 0 else _USUAL_ENTRIES
    query = sa.select(_AUDIT).order_by(_AUDIT.c.at.desc(), _AUDIT.c.id.desc()).limit(limit)
    for name in _FILTERS:
        wanted = getattr(request, name)
        if wanted:
            query = query.where(_AUDIT.c[name] == wanted)
    if not request.HasField("before"):
        if request.before_id:
            raise invalid("before_id is of no use without before.")
        return query
    before = request.before.ToDatetime(tzinfo=UTC)
    if not request.before_id:
        return query.where(_AUDIT.c.at < before)
    try:
        before_id = UUID(request.before_id)
    except ValueError:
        raise invalid("This is not a cursor of the audit log.") from None
    return query.where(
        sa.tuple_(_AUDIT.c.at, _AUDIT.c.id) < sa.tuple_(sa.literal(before), sa.literal(before_id))
    )


def _entry(row: sa.Row[Any]) -> audit_pb2.Entry:
    entry = audit_pb2.Entry(
        id=str(row.id),
        actor_id=row.actor_id or "",
        actor_kind=row.actor_kind,
        action=row.action,
        object_type=row.object_type,
        object_id=row.object_id,
        before_json=_json(row.before),
        after_json=_json(row.after),
        reason=row.reason or "",
        request_id=row.request_id or "",
    )
    entry.at.FromDatetime(row.at)
    return entry


def _json(document: Any) -> bytes:
    return b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
