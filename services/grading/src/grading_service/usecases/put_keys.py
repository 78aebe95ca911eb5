"""Taking in the keys of new question versions."""

from collections.abc import Sequence
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database
from examkit.errors import FieldError, conflict, invalid

from grading_service.domain.key import faults
from grading_service.repository import keys
from grading_service.repository.keys import StoredKey

MOST = 500


async def put_keys(db: Database, new: Sequence[StoredKey], actor_id: UUID | None) -> None:
    """Store keys, immutable from then on; the same again changes nothing.

    Raises: invalid with `errors` located by index; conflict `key_immutable`.
    """
    if len(new) > MOST:
        raise invalid(f"Send at most {MOST} keys at once.")
    wrong = [
        FieldError(("items", index, *fault.loc), fault.msg)
        for index, one in enumerate(new)
        for fault in faults(one.type, one.option_ids, one.key)
    ]
    if wrong:
        raise invalid("Some keys don't fit their questions.", *wrong)
    async with db.transaction() as tx:
        await keys.insert_new(tx.conn, new)
        stored = await keys.by_version(tx.conn, [one.version_id for one in new])
        for one in new:
            if stored[one.version_id] != one:
                raise conflict("key_immutable", "This version has another key. Make a new version.")
        await tx.audit(
            AuditEntry(
                actor_id=actor_id,
                actor_kind="user" if actor_id else "service",
                action="keys.stored",
                object_type="answer_keys",
                object_id=new[0].version_id if len(new) == 1 else f"{len(new)} versions",
            )
        )
