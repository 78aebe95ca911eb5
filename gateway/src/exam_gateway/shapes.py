"""What REST bodies are made of: strict models, and the types that several of them use."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    Strict,
    WithJsonSchema,
)
from typing_extensions import TypedDict

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
EARLIEST, LATEST = 1970, 2998


class Out(BaseModel):
    """A response."""

    model_config = ConfigDict(ser_json_inf_nan="null", json_schema_serialization_defaults_required=True)


class In(BaseModel):
    """A request body: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


def _something(schema: dict[str, Any]) -> None:
    """An empty change is refused."""
    schema["minProperties"] = 1
    for part in schema.get("properties", {}).values():
        if part.get("default", ...) is None:
            del part["default"]


LEFT_OUT: Any = None
"""The default of a field that may be left out of a Patch, but is not null where it is given."""


class Patch(BaseModel):
    """A partial change: what is left out stays; `model_fields_set` tells what was given."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_something)


def _only_text(value: Any) -> Any:
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be a time such as 2026-05-04T09:30:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    if not EARLIEST < value.year < LATEST:
        raise ValueError(f"must be between the years {EARLIEST} and {LATEST}")
    return value.astimezone(UTC)


def _canonical(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError("must be a UUID")
    return value


def _whole(value: Any) -> Any:
    """JSON has one kind of numbers: 3.0 is as whole as 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _two_decimals(value: float) -> float:
    if Decimal(str(value)) * 100 % 1:
        raise ValueError("must have at most two decimals")
    return value


def _to_number(maximum: float) -> Any:
    return {"type": "number", "minimum": 0, "maximum": maximum, "multipleOf": 0.01}


Time = Annotated[datetime, BeforeValidator(_only_text), AfterValidator(_in_utc)]
Id = Annotated[UUID, BeforeValidator(_canonical), WithJsonSchema({"type": "string", "format": "uuid"})]
WHOLE = BeforeValidator(_whole)
"""Last in `Annotated[int, Strict(), Field(ge=0), WHOLE]`: before the bounds it hides them from OpenAPI."""
Flag = Annotated[bool, Strict()]
Number = Annotated[float, Strict()]
Points = Annotated[
    float,
    Strict(),
    Field(ge=0.01, le=1000),
    AfterValidator(_two_decimals),
    WithJsonSchema(_to_number(1000) | {"minimum": 0.01}),
]
Score = Annotated[
    float,
    Strict(),
    Field(ge=0, le=1_000_000),
    AfterValidator(_two_decimals),
    WithJsonSchema(_to_number(1_000_000)),
]
Limit = Annotated[int, Field(ge=1, description="Items a page; at most 200 come at once.")]
Cursor = Annotated[str, Field(max_length=1024, description="`next_cursor` of the page before.")]
Title = Annotated[str, Field(min_length=1, max_length=300)]
Text = Annotated[str, Field(max_length=20_000)]
Short = Annotated[str, Field(max_length=300)]


QUESTION_TEXT = (
    "Markdown and TeX, as typed. HTML in it is text: render it with HTML off, so that a tag is shown by its "
    "characters."
)
"""What a question's text and its options' texts are: decision 0013."""


AnswerOut = Annotated[
    SkipValidation[str | list[str] | None],
    Field(
        description="A string (an option id, `true`/`false`, a number, a text, a file id), a list of option "
        "ids for `multi_choice`, or null where there is none.",
        examples=["B"],
    ),
]
"""As it is stored, so not looked at again."""


class Media(TypedDict, total=False):
    """A picture of a question: a file that was uploaded, or an address. What else is in it is kept."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    file_id: Annotated[str, Field(pattern=f"^{_UUID.pattern}$")]
    url: Annotated[str, Field(max_length=2_000)]
    alt: Annotated[str, Field(max_length=2_000)]


_ADDRESS = {"type": "string", "maxLength": 2_000}
_MEDIA = {
    "type": "object",
    "properties": {
        "file_id": {"type": "string", "format": "uuid", "description": "`GET /api/v1/files/{file_id}`."},
        "url": _ADDRESS | {"description": "Begins with `https://`, or is a file's name."},
        "alt": _ADDRESS | {"description": "What it shows, for who can't see it."},
    },
    "additionalProperties": True,
}
# Of pydantic's own, what is sent would have all members of it, and what comes in another name.
MediaItem = Annotated[
    Media | Annotated[str, Field(max_length=2_000)], WithJsonSchema({"anyOf": [_MEDIA, _ADDRESS]})
]
MediaOut = Annotated[Any, WithJsonSchema({"anyOf": [_MEDIA, {"type": "string"}]})]
"""As it is stored, so not looked at again."""


class FieldProblem(Out):
    loc: list[str | int] = Field(examples=[["body", "answer"]])
    msg: str = Field(examples=["must be the id of an option"])


class Problem(BaseModel):
    """RFC 9457. Some codes bring further members, e.g. `current`, `student_exam_id`, `start_time`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:examhall:problem:not_found"])
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; what programs look at.")
    trace_id: str
    errors: list[FieldProblem] | None = Field(default=None, description="For 422: what is wrong where.")
