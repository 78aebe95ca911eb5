"""A paper: the questions of one exam, frozen at the versions they had when it was published."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from uuid import UUID

import msgspec
from msgspec import Struct

from exam_service.domain.file import named_by

CHOICE_TYPES = frozenset({"single_choice", "multi_choice"})


class Option(Struct, frozen=True):
    """`id` is the letter as authored: A, B, …"""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class PaperQuestion:
    """A question as it counts in this exam. `order` is 1, 2, …; `media_json` is empty for none."""

    question_id: UUID
    version_id: UUID
    version: int
    type: str
    text: str
    options: tuple[Option, ...]
    points_hundredths: int
    order: int
    media_json: bytes
    category: str = ""
    tags: tuple[str, ...] = ()
    external_id: str = ""

    @property
    def option_ids(self) -> tuple[str, ...]:
        return tuple(option.id for option in self.options)

    @property
    def is_choice(self) -> bool:
        """Whether it has options to be lettered anew."""
        return self.type in CHOICE_TYPES


@dataclass(frozen=True)
class Paper:
    """Immutable once published; every replica keeps it for good."""

    exam_id: UUID
    questions: tuple[PaperQuestion, ...]

    @cached_property
    def by_id(self) -> Mapping[UUID, PaperQuestion]:
        return MappingProxyType({question.question_id: question for question in self.questions})

    @cached_property
    def by_text(self) -> Mapping[str, PaperQuestion]:
        """By the id as a save names it."""
        return MappingProxyType({str(question_id): question for question_id, question in self.by_id.items()})

    @cached_property
    def max_possible_hundredths(self) -> int:
        return sum(question.points_hundredths for question in self.questions)

    @cached_property
    def files(self) -> frozenset[UUID]:
        """The pictures that its questions name."""
        media = (msgspec.json.decode(each.media_json) for each in self.questions if each.media_json)
        return frozenset(file_id for named in media for file_id in named_by(named))

    @property
    def question_count(self) -> int:
        return len(self.questions)
