"""What calamine leaves out of a sheet: how a number is shown, which cell is an error or has no value.

How it is found out differs by format; rows and columns count from 0.
"""

import re
from collections.abc import Callable
from xml.parsers import expat

from import_service.domain.cells import BrokenCell, Shown
from import_service.domain.refusal import DAMAGED, TOO_COMPLEX, TOO_COMPLEX_DETAIL, FileRefused

Note = Shown | BrokenCell
Attributes = dict[str, str]

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_MAX_NOTES = 2_000_000
BUILT_IN_PERCENT = (9, 10)
"""The number formats 0% and 0.00%, which no workbook spells out."""


class Notes:
    """The notes of one sheet, by row and column."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Note]] = {}
        self._count = 0

    def add(self, row: int, column: int, note: Note) -> None:
        self._count += 1
        if self._count > _MAX_NOTES:
            raise FileRefused(TOO_COMPLEX, TOO_COMPLEX_DETAIL)
        self._rows.setdefault(row, {})[column] = note

    def of(self, row: int) -> dict[int, Note] | None:
        """By column; None for a row without notes."""
        return self._rows.get(row)

    def rows_from(self, first: int) -> list[int]:
        return sorted(row for row in self._rows if row >= first)


def shows_percent(number_format: str) -> bool:
    """Whether a number format shows a percentage: its sign not quoted, escaped or in brackets."""
    return "%" in _QUOTED.sub("", number_format)


def walk_xml(
    document: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Walks over an XML document; names lose the prefixes that OOXML writers choose freely."""
    keep_prefix = b"urn:oasis:names:tc:opendocument" in document[:65_536]

    def local(name: str) -> str:
        return name if keep_prefix else name.rpartition(":")[2]

    def refuse(*_: object) -> None:
        raise FileRefused(DAMAGED, "The workbook defines XML entities, which no spreadsheet program does.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: start(local(name), attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(local(name))
    if text is not None:
        parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError, KeyError):
        raise FileRefused(
            DAMAGED, "The file is damaged: open it in a spreadsheet program and save it anew."
        ) from None
