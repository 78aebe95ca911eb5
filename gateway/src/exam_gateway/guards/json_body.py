"""JSON bodies, read strictly: no NaN, no lone surrogates, no NUL in any text, no bottomless nesting."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import Scope

from exam_gateway.guards.access import header

MAX_DEPTH = 64


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
    check(value)
    return value


def check(value: Any) -> None:
    """Raises json.JSONDecodeError for a NUL in a text, or a value nested deeper than MAX_DEPTH."""
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise json.JSONDecodeError("The body is nested too deeply.", "", 0)
        if isinstance(item, str):
            if "\0" in item:
                raise json.JSONDecodeError("A text holds a NUL character.", "", 0)
        elif isinstance(item, list):
            waiting += [(part, depth + 1) for part in item]
        elif isinstance(item, dict):
            waiting += [(part, depth + 1) for pair in item.items() for part in pair]


def is_json(scope: Scope) -> bool:
    """Whether the body claims to be JSON. One that claims nothing is taken for it."""
    told = header(scope, b"content-type")
    if told is None:
        return True
    message = Message()
    message["content-type"] = told
    kind = message.get_content_type()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
