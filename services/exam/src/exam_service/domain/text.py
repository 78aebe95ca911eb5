"""The rules for every text that comes in: no NUL, no lone surrogates, bounded length."""

import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether Postgres and UTF-8 can hold it: no NUL, no lone surrogate."""
    return _UNSTORABLE.search(text) is None


def text_problem(text: str, *, least: int, most: int) -> str | None:
    """What is wrong with a text of `least` … `most` characters, as a sentence's end; None when it is fine."""
    if not is_storable(text):
        return "must not hold NUL or lone surrogate characters"
    if least and not text.strip():
        return "must not be empty"
    if len(text) > most:
        return f"must be at most {most} characters"
    return None


def json_is_storable(value: Any) -> bool:
    """The same for every text inside a decoded JSON document, names of members included."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, list):
        return all(json_is_storable(item) for item in value)
    if isinstance(value, dict):
        return all(is_storable(name) and json_is_storable(item) for name, item in value.items())
    return True
