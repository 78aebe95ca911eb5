"""The headers of a request, looked up by name: gone through once, whichever layers ask."""

from __future__ import annotations

from starlette.types import Scope

_HEADERS = "examhall.headers"


def raw_header(scope: Scope, name: bytes) -> bytes | None:
    """The header of that (lower-case) name. Of several, the first."""
    found = scope.get(_HEADERS)
    if found is None:
        # From the last to the first, so that the first stays.
        found = scope[_HEADERS] = dict(reversed(scope["headers"]))
    value: bytes | None = found.get(name)
    return value


def header(scope: Scope, name: bytes) -> str | None:
    """The same as text."""
    value = raw_header(scope, name)
    return None if value is None else value.decode("latin-1")
