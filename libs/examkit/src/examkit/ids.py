"""Ids: UUIDv7, so that what was made together lies together in an index."""

from __future__ import annotations

import uuid

import uuid_utils.compat

from examkit.errors import not_found


def uuid7() -> uuid.UUID:
    """A new time-ordered id (a plain `uuid.UUID`)."""
    return uuid_utils.compat.uuid7()


def parse_uuid(text: str, what: str = "id") -> uuid.UUID:
    """The UUID written in `text` in its canonical form.

    Raises not_found: what isn't an id names nothing, and tells no more than a wrong one.
    """
    try:
        parsed = uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        raise not_found(f"There is no such {what}.") from None
    if str(parsed) != text.lower():
        raise not_found(f"There is no such {what}.")
    return parsed
