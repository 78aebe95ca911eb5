"""Why a file as a whole, or one field of a row, is not taken: a code for programs, a sentence for people."""

import re
from typing import NamedTuple

_BAD_CHARACTERS = re.compile("[\0\ud800-\udfff]")

UNSUPPORTED = "unsupported"
ENCRYPTED = "encrypted"
MACROS = "macros"
ZIP_BOMB = "zip_bomb"
DAMAGED = "damaged"
TOO_COMPLEX = "too_complex"
TOO_MANY_ROWS = "too_many_rows"
TOO_MANY_COLUMNS = "too_many_columns"
TOO_MANY_SHEETS = "too_many_sheets"
NO_ROWS = "no_rows"
MISSING_COLUMNS = "missing_columns"
DUPLICATE_COLUMNS = "duplicate_columns"
ROWS_INVALID = "rows_invalid"
INTERNAL = "internal"
AWAY = "unavailable"

TOO_COMPLEX_DETAIL = (
    "The workbook is too large or too involved to read: copy its rows into a new one, or divide it."
)


class FileRefused(Exception):  # noqa: N818 - named for what it tells
    """The whole file can't be imported. `detail` says what to do about it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Fault(NamedTuple):
    """What is wrong with one field. `place` is the way to it: ("key", "correct"), ("options", 2, "text")."""

    place: tuple[str | int, ...]
    code: str
    message: str


class RowFault(NamedTuple):
    """The same for a row of a workbook. `column` is the canonical name, empty where the row is meant."""

    column: str
    code: str
    message: str


def shown(text: str, most: int = 40) -> str:
    """A cell's text as a message may quote it: short, on one line, printable."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def storable(text: str, most: int = 32_767) -> str:
    """Text that Postgres, JSON and a spreadsheet cell can hold: no NUL, no lone surrogates, not too long."""
    if text.isascii() and "\0" not in text:
        return text[:most]  # nearly every cell
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:most]


def has_bad_characters(text: str) -> bool:
    """NUL or a lone surrogate, which no text of ours may hold."""
    return _BAD_CHARACTERS.search(text) is not None
