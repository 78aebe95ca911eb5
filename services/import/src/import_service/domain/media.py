"""The media references of a question: which addresses a page may be told to load."""

import re
from collections.abc import Iterator
from typing import Any

from import_service.domain.refusal import Fault, shown

_FOR_PEOPLE = frozenset({"alt", "caption", "title", "description"})
"""Members whose text is read and never loaded."""
_PASSED_OVER = re.compile(r"[\x00-\x20\x7f]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_OTHER_HOST = re.compile(r"[/\\]{2}")
_HTTPS = re.compile(r"https://[^\s\x00-\x1f\x7f/\\?#@]+(?:[/\\?#][^\s\x00-\x1f\x7f]*)?", re.IGNORECASE)


def media_faults(media: list[Any]) -> list[Fault]:
    """The media that hold an address which is neither https nor, without scheme and host, a file's name."""
    found = []
    for index, item in enumerate(media):
        refused = next((text for text in _addresses(item) if not _may_be_loaded(text)), None)
        if refused is not None:
            message = f"“{shown(refused)}” is not loaded by pages: use an address that begins with https://."
            found.append(Fault(("media", index), "bad_address", message))
    return found


def _addresses(value: Any) -> Iterator[str]:
    """Every text that may be one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _addresses(part)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in _FOR_PEOPLE or not isinstance(part, str):
                yield from _addresses(part)


def _may_be_loaded(text: str) -> bool:
    # As browsers read an address: they pass over control characters and spaces, and take \ for /.
    bare = _PASSED_OVER.sub("", text)
    if _SCHEME.match(bare) or _OTHER_HOST.match(bare):
        return _HTTPS.fullmatch(text) is not None
    return bool(bare)
