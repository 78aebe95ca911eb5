"""JSON bodies, read strictly: no NaN, no lone surrogates, no NUL in any text, no bottomless nesting."""

from __future__ import annotations

import json
import re
from email.message import Message
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import Scope

from exam_gateway.guards.headers import header

MAX_DEPTH = 64
MAX_MEMBERS = 256
"""Of an object: no body of ours has as many, and each unknown one would be reported."""
_HOLDERS = (dict, list)
# An escape is one where an even number of backslashes stands before it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class JsonRequest(Request):
    """What FastAPI reads bodies from. A malformed one is a JSONDecodeError, which becomes 422."""

    async def json(self) -> Any:
        return decode(await self.body())


def decode(body: bytes) -> Any:
    """The value of a JSON text. Raises json.JSONDecodeError."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise json.JSONDecodeError(f"The body is not valid JSON: {error}", "", 0) from None
    except RecursionError:
        raise json.JSONDecodeError("The body is nested too deeply.", "", 0) from None
    if b"\\u0000" in body and _NUL.search(body):
        raise json.JSONDecodeError("A text holds a NUL character.", "", 0)
    _check(value)
    return value


def _check(value: Any) -> None:
    """Raises json.JSONDecodeError for a value nested deeper than MAX_DEPTH, or with an object too wide."""
    level = [value] if isinstance(value, _HOLDERS) else []
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict) and len(item) > MAX_MEMBERS:
                raise json.JSONDecodeError(f"An object has more than {MAX_MEMBERS} members.", "", 0)
            parts = item.values() if isinstance(item, dict) else item
            inner += [part for part in parts if isinstance(part, _HOLDERS)]
        if not inner:
            return
        level = inner
    raise json.JSONDecodeError("The body is nested too deeply.", "", 0)


def is_json(scope: Scope) -> bool:
    """Whether the body claims to be JSON, as it is. One that claims nothing is taken for it."""
    if header(scope, b"content-encoding") not in (None, "identity"):
        return False
    told = header(scope, b"content-type")
    if told is None or told == "application/json":
        return True
    message = Message()
    message["content-type"] = told
    kind = message.get_content_type()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
