"""Keyset pagination: opaque cursors that hold the sort key of the last row of a page."""

import base64
import binascii

import msgspec

from examkit.errors import invalid


def encode(*parts: str) -> str:
    """Pack the sort key of a page's last row into a URL-safe cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).rstrip(b"=").decode()


def decode(cursor: str, parts: int) -> list[str] | None:
    """Unpack a cursor of `parts` strings; None for the first page ("").

    Raises: invalid (422) for a cursor that `encode` did not make.
    """
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(raw, type=list[str])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        values = []
    if len(values) != parts:
        raise invalid("The cursor is not one of this list. Leave it out to begin at the first page.")
    return values


def limit_of(limit: int, *, default: int = 50, most: int = 200) -> int:
    """The page size to use: `default` where none was asked for, between 1 and `most`."""
    return default if limit <= 0 else min(limit, most)
