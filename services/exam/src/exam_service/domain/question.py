"""The content of a question, without its key, and what makes it fit for the bank."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exam_service.domain.exam import MAX_POINTS_HUNDREDTHS
from exam_service.domain.file import named_by
from exam_service.domain.paper import CHOICE_TYPES, Option
from exam_service.domain.text import json_is_storable, text_problem

QUESTION_TYPES = (
    "single_choice",
    "multi_choice",
    "true_false",
    "numeric",
    "short_text",
    "text",
    "image",
)

MAX_TEXT = 20_000
MAX_OPTION_TEXT = 5_000
MAX_TAGS = 50
MAX_MEDIA_BYTES = 16 * 1024

_OPTION_ID = re.compile("[A-Z]")


@dataclass(frozen=True, kw_only=True)
class QuestionContent:
    """As authored. `text` is Markdown without raw HTML, plus TeX: it is bounded here and made safe where it
    is rendered, since `a < b` is a question and not markup. `media` is a decoded JSON array, None for none;
    `external_id` is empty where the author gave none.
    """

    type: str
    text: str
    options: tuple[Option, ...] = ()
    points_hundredths: int = 100
    category: str = ""
    tags: tuple[str, ...] = ()
    external_id: str = ""
    media: list[Any] | None = None

    @property
    def files(self) -> frozenset[UUID]:
        """The pictures that it names."""
        return named_by(self.media)


def content_problem(content: QuestionContent) -> str | None:
    """The first thing that is wrong with a question, as a sentence for its author; None when it is fine."""
    return next(_problems(content), None)


def _problems(content: QuestionContent) -> Iterator[str]:
    if content.type not in QUESTION_TYPES:
        yield f"The type must be one of {', '.join(QUESTION_TYPES)}."
    problem = text_problem(content.text, least=1, most=MAX_TEXT)
    if problem:
        yield f"The text {problem}."
    yield from _option_problems(content)
    if not 1 <= content.points_hundredths <= MAX_POINTS_HUNDREDTHS:
        yield "The points must be from 0.01 to 1000."
    for name, value, most in (
        ("category", content.category, 200),
        ("external_id", content.external_id, 200),
    ):
        problem = text_problem(value, least=0, most=most)
        if problem:
            yield f"The {name} {problem}."
    if len(content.tags) > MAX_TAGS:
        yield f"There may be at most {MAX_TAGS} tags."
    for tag in content.tags:
        problem = text_problem(tag, least=1, most=100)
        if problem:
            yield f"A tag {problem}."
    if content.media is not None and not json_is_storable(content.media):
        yield "The media must not hold NUL or lone surrogate characters."


def _option_problems(content: QuestionContent) -> Iterator[str]:
    ids = [option.id for option in content.options]
    if content.type not in CHOICE_TYPES:
        if ids:
            yield f"A question of type {content.type} has no options."
        return
    if not 2 <= len(ids) <= 26:
        yield "A choice needs 2 to 26 options."
    if not all(_OPTION_ID.fullmatch(option_id) for option_id in ids):
        yield "The ids of options are capital letters: A, B, C, …"
    if len(set(ids)) != len(ids):
        yield "Two options have the same id."
    for option in content.options:
        problem = text_problem(option.text, least=1, most=MAX_OPTION_TEXT)
        if problem:
            yield f"The text of option {option.id} {problem}."
