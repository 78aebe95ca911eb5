"""Which revocations are in force: for those who poll, this process among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from examkit.errors import invalid
from examkit.paging import decode, encode

from auth_service.domain.revocation import Revocation
from auth_service.repository import revocations
from auth_service.usecases.unit import Auth

OVERLAP = timedelta(seconds=90)
"""Longer than any transaction of ours can take: what was written early and committed late is not missed."""


async def list_revocations(auth: Auth, cursor: str) -> tuple[list[Revocation], str]:
    """What was written since a little before the cursor ("": all), and the cursor of the next look.

    Raises invalid for a cursor that is not ours.
    """
    since = _since(cursor)
    async with auth.db.reading() as conn:
        entries, looked = await revocations.written_since(conn, since, auth.clock())
    return entries, encode(looked.isoformat())


def _since(cursor: str) -> datetime | None:
    parts = decode(cursor, 1)
    if parts is None:
        return None
    try:
        moment = datetime.fromisoformat(parts[0])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - OVERLAP
    except (ValueError, OverflowError):
        raise invalid("The cursor is not one of this list.") from None
