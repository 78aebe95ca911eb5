"""The header row: columns in any order and any case; spaces, underscores and hyphens are alike."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from import_service.domain.refusal import DUPLICATE_COLUMNS, MISSING_COLUMNS, FileRefused

OPTION_LETTERS = "ABCDEFGH"
_SEPARATORS = re.compile(r"[\s_\-\u2010-\u2015]+")


class Kind(StrEnum):
    """What a workbook holds."""

    QUESTIONS = "questions"
    USERS = "users"


COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.QUESTIONS: (
        "external_id",
        "type",
        "question",
        *(f"option_{letter.lower()}" for letter in OPTION_LETTERS),
        "correct",
        "points",
        "category",
        "tags",
        "explanation",
        "tolerance",
        "case_sensitive",
    ),
    Kind.USERS: ("email", "name", "groups", "password"),
}
REQUIRED: dict[Kind, tuple[str, ...]] = {
    Kind.QUESTIONS: ("type", "question", "correct"),
    Kind.USERS: ("email", "name"),
}
SECRET_COLUMNS = frozenset({"password"})


@dataclass(frozen=True)
class Layout:
    """Where each known column stands, from 0. `header` is the row as it was typed."""

    kind: Kind
    positions: dict[str, int]
    header: tuple[str, ...]

    def fields(self, cells: Sequence[str]) -> dict[str, str]:
        """The trimmed texts of a row by column; an absent column is an empty text."""
        return {
            name: _cell(cells, self.positions[name]) if name in self.positions else ""
            for name in COLUMNS[self.kind]
        }

    def without_secrets(self, cells: Sequence[str]) -> tuple[str, ...]:
        """The row as it may be kept and shown: no passwords."""
        hidden = {place for name, place in self.positions.items() if name in SECRET_COLUMNS}
        if self.kind is Kind.USERS:
            # A column that we don't know may be a password under another name.
            hidden |= set(range(len(self.header))) - set(self.positions.values())
        return tuple(
            "" if place in hidden else cells[place] if place < len(cells) else ""
            for place in range(len(self.header))
        )


def folded(name: str) -> str:
    """A column's or a type's name without case and separators."""
    return _SEPARATORS.sub("", name.strip().lstrip("\ufeff").casefold())


def read_header(kind: Kind, cells: Sequence[str]) -> Layout:
    """The layout that a header row describes; unknown columns are passed over.

    Raises FileRefused `missing_columns`, `duplicate_columns`.
    """
    known = {folded(name): name for name in COLUMNS[kind]}
    named = [(place, known[folded(cell)]) for place, cell in enumerate(cells) if folded(cell) in known]
    twice = [name for name, count in Counter(name for _, name in named).items() if count > 1]
    if twice:
        raise FileRefused(
            DUPLICATE_COLUMNS, f"The header names {', '.join(twice)} more than once: keep one column of each."
        )
    positions = {name: place for place, name in named}
    missing = [name for name in REQUIRED[kind] if name not in positions]
    if missing:
        raise FileRefused(
            MISSING_COLUMNS,
            f"The header row lacks {', '.join(missing)}. Take the template and keep its first row.",
        )
    header = tuple(cells[: max(_last_filled(cells), *positions.values()) + 1])
    return Layout(kind, positions, header)


def _last_filled(cells: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(cells) if cell.strip()), default=0)


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip().replace("\r\n", "\n").replace("\r", "\n") if place < len(cells) else ""
