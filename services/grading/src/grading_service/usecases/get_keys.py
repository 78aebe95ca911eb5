"""The keys of question versions, for the editor."""

from collections.abc import Collection
from uuid import UUID

from examkit.db import Database
from examkit.errors import invalid

from grading_service.repository import keys
from grading_service.repository.keys import StoredKey

MOST = 500


async def get_keys(db: Database, version_ids: Collection[UUID]) -> list[StoredKey]:
    """Those of these versions that have one. Raises: invalid."""
    if len(version_ids) > MOST:
        raise invalid(f"Ask for at most {MOST} keys at once.")
    async with db.reading() as conn:
        return list((await keys.by_version(conn, version_ids)).values())
