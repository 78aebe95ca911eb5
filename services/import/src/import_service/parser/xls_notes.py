"""The notes of an .xls sheet, from the records of its workbook stream (BIFF, [MS-XLS] 2.4)."""

import io
import struct
from collections.abc import Iterator

import olefile

from import_service.domain.cells import WITHOUT_VALUE, Shown, error_cell
from import_service.domain.refusal import DAMAGED, FileRefused
from import_service.parser.cell_notes import BUILT_IN_PERCENT, Note, Notes, shows_percent

_FORMULA = 0x0006
_EOF = 0x000A
_BOUND_SHEET = 0x0085
_MULTIPLE_RK = 0x00BD
_XF = 0x00E0
_RECALC_ID = 0x01C1
_NUMBER = 0x0203
_BOOLEAN_OR_ERROR = 0x0205
_RK = 0x027E
_FORMAT = 0x041E

_HEADER = struct.Struct("<HH")
_CELL = struct.Struct("<HHH")
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
Records = Iterator[tuple[int, bytes]]


def xls_notes(data: bytes, sheet: int) -> Notes:
    """The notes of the sheet at a place, from 0, in the workbook's list. Raises FileRefused."""
    try:
        return _Workbook(_stream(data)).notes(sheet)
    except (OSError, struct.error, IndexError):
        raise FileRefused(
            DAMAGED, "The file is damaged: open it in a spreadsheet program and save it anew."
        ) from None


def _stream(data: bytes) -> bytes:
    with olefile.OleFileIO(io.BytesIO(data)) as container:
        name = "Workbook" if container.exists("Workbook") else "Book"
        return bytes(container.openstream(name).read())


def _records(stream: bytes, start: int) -> Records:
    """(type, content) of a substream up to its first end: that of a sheet, or of a chart behind its cells."""
    while start + _HEADER.size <= len(stream):
        kind, length = _HEADER.unpack_from(stream, start)
        start += _HEADER.size
        if kind == _EOF:
            return
        yield kind, stream[start : start + length]
        start += length


class _Workbook:
    """What holds for all sheets: where they begin, which cell styles show percentages."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._sheets: list[int] = []
        self._formats_of_styles: list[int] = []
        self._percent_formats = set(BUILT_IN_PERCENT)
        self._calculated = False
        for kind, content in _records(stream, 0):
            if kind == _BOUND_SHEET:
                self._sheets.append(int.from_bytes(content[:4], "little"))
            elif kind == _XF:
                self._formats_of_styles.append(int.from_bytes(content[2:4], "little"))
            elif kind == _FORMAT and shows_percent(content[3:].replace(b"\0", b"").decode("latin-1")):
                self._percent_formats.add(int.from_bytes(content[:2], "little"))
            elif kind == _RECALC_ID:
                # Which program calculated last: Excel and LibreOffice say so.
                self._calculated = True

    def notes(self, sheet: int) -> Notes:
        notes = Notes()
        for kind, content in _records(self._stream, self._sheets[sheet]):
            if kind == _MULTIPLE_RK:
                self._add_row(notes, content)
            elif kind in {_FORMULA, _BOOLEAN_OR_ERROR, _NUMBER, _RK}:
                row, column, style = _CELL.unpack_from(content)
                note = self._note(kind, content[_CELL.size :], style)
                if note is not None:
                    notes.add(row, column, note)
        return notes

    def _add_row(self, notes: Notes, content: bytes) -> None:
        row, first = struct.unpack_from("<HH", content)
        for place in range((len(content) - 6) // 6):
            if self._is_percent(int.from_bytes(content[4 + 6 * place : 6 + 6 * place], "little")):
                notes.add(row, first + place, Shown.PERCENT)

    def _note(self, kind: int, value: bytes, style: int) -> Note | None:
        if kind == _BOOLEAN_OR_ERROR:
            return error_cell(_ERRORS.get(value[0], "")) if value[1] else None
        if kind == _FORMULA and value[6:8] == b"\xff\xff":
            return self._note_of_result(value)
        return Shown.PERCENT if self._is_percent(style) else None

    def _note_of_result(self, value: bytes) -> Note | None:
        """A result that is no number: 0 a text, 1 a boolean, 2 an error, 3 an empty text."""
        if value[0] == 2:
            return error_cell(_ERRORS.get(value[2], ""))
        # Writers that don't calculate leave all of their results empty.
        return WITHOUT_VALUE if value[0] == 3 and not self._calculated else None

    def _is_percent(self, style: int) -> bool:
        return (
            style < len(self._formats_of_styles) and self._formats_of_styles[style] in self._percent_formats
        )
