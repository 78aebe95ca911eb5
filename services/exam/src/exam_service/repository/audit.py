"""The audit trail, many entries at once: `Tx.audit` writes them one by one."""

from collections.abc import Sequence

from examkit.audit import AuditEntry
from examkit.ids import uuid7
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service.repository.bulk import insert_records
from exam_service.tables import SHARED


async def insert_entries(conn: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Write these entries in the transaction of this connection, in one statement."""
    await insert_records(
        conn,
        SHARED.audit,
        [
            {
                "id": uuid7(),
                "actor_id": None if entry.actor_id is None else str(entry.actor_id),
                "actor_kind": entry.actor_kind,
                "action": entry.action,
                "object_type": entry.object_type,
                "object_id": str(entry.object_id),
                "before": entry.before,
                "after": entry.after,
                "reason": entry.reason,
                "request_id": entry.request_id,
            }
            for entry in entries
        ],
    )
