"""Which revocations are in force: for those who poll, this process among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from examkit.errors import AppError, invalid
from examkit.paging import decode, encode

from auth_service.domain.revocation import Revocation
from auth_service.repository import revocations
from auth_service.repository.revocations import Place
from auth_service.usecases.unit import Auth

OVERLAP = timedelta(seconds=90)
"""Longer than any transaction of ours can take: what was written early and committed late is not missed."""
PAGE = 5_000
_ID_DIGITS = 19
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class _Look(NamedTuple):
    """One look at the list, page by page: what was written until it began, after the last page's end."""

    until: datetime
    after: Place


async def list_revocations(auth: Auth, cursor: str) -> tuple[list[Revocation], str]:
    """A page of revocations, and the cursor of the next. An empty page ends the look.

    Its cursor begins the next look, a little before this one began; "" begins with all that is in force.
    Raises invalid for a cursor that is not ours.
    """
    look = _look_under_way(cursor)
    since = None if look else _since(cursor)
    async with auth.db.reading() as conn:
        if look is None:
            # Read first: what commits meanwhile has an earlier time, and is in the overlap of the next look.
            look = _Look(await revocations.current_time(conn), Place(since or _BEGINNING, 0))
        entries, last = await revocations.written_between(
            conn, look.after, look.until, in_force_at=auth.clock(), limit=PAGE
        )
    if not entries:
        return [], encode(look.until.isoformat())
    return entries, encode(look.until.isoformat(), last.written_at.isoformat(), str(last.id))


def _look_under_way(cursor: str) -> _Look | None:
    """None for a cursor that begins a look."""
    try:
        parts = decode(cursor, 3)
    except AppError:
        return None
    if parts is None:
        return None
    if not (parts[2].isascii() and parts[2].isdigit() and len(parts[2]) < _ID_DIGITS):
        raise _not_ours()
    return _Look(_moment(parts[0]), Place(_moment(parts[1]), int(parts[2])))


def _since(cursor: str) -> datetime | None:
    parts = decode(cursor, 1)
    if parts is None:
        return None
    try:
        return _moment(parts[0]) - OVERLAP
    except OverflowError:
        raise _not_ours() from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _not_ours() from None


def _not_ours() -> AppError:
    return invalid("The cursor is not one of this list.")
