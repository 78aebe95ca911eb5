"""The notes of an .ods sheet, read only where it has percentages, formulas or errors at all."""

import zipfile

from import_service.domain.cells import ERROR_TEXTS, WITHOUT_VALUE, Shown, error_cell
from import_service.parser.cell_notes import Attributes, Note, Notes, walk_xml

_CELLS = {"table:table-cell", "table:covered-table-cell"}


def ods_notes(archive: zipfile.ZipFile, sheet_name: str) -> Notes:
    """The same for one sheet of an .ods."""
    content = archive.read("content.xml")
    if not any(sign in content for sign in (b'-type="percentage"', b'-type="error"', b"table:formula=")):
        return Notes()
    return _TableScan(sheet_name).scan(content)


class _TableScan:
    def __init__(self, sheet_name: str) -> None:
        self._sheet = sheet_name
        self._inside = False
        self._notes = Notes()
        self._row = 0
        self._rows = 1
        self._column = 0
        self._cell: Attributes = {}
        self._shown: str | None = None
        self._annotations = 0

    def scan(self, content: bytes) -> Notes:
        walk_xml(content, self._start, self._end, self._text)
        return self._notes

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self._inside = attributes.get("table:name") == self._sheet
            self._row = 0
        elif name == "table:table-row":
            self._rows = int(attributes.get("table:number-rows-repeated", "1"))
            self._column = 0
        elif name in _CELLS:
            self._cell = attributes
            self._shown = None
        elif name == "office:annotation":
            self._annotations += 1
        elif name == "text:p" and not self._annotations:
            self._shown = self._shown or ""

    def _text(self, text: str) -> None:
        if self._shown is not None and not self._annotations:
            self._shown += text

    def _end(self, name: str) -> None:
        if name in _CELLS:
            self._end_cell()
        elif name == "office:annotation":
            self._annotations -= 1
        elif name == "table:table-row":
            self._row += self._rows
        elif name == "table:table":
            self._inside = False

    def _end_cell(self) -> None:
        columns = int(self._cell.get("table:number-columns-repeated", "1"))
        note = _ods_note(self._cell, self._shown) if self._inside else None
        if note is not None:
            for row in range(self._row, self._row + self._rows):
                for column in range(self._column, self._column + columns):
                    self._notes.add(row, column, note)
        self._column += columns
        self._shown = None


def _ods_note(cell: Attributes, shown: str | None) -> Note | None:
    """`shown`: the text within the cell; None without any, which is not the same as an empty one."""
    kind = cell.get("calcext:value-type") or cell.get("office:value-type")
    if kind == "error":
        return error_cell(shown or "")
    if kind == "percentage":
        return Shown.PERCENT
    if "table:formula" not in cell:
        return None
    if kind is None and shown is None:
        return WITHOUT_VALUE
    if kind == "string" and shown in ERROR_TEXTS:
        return error_cell(shown)  # as programs write it that don't know LibreOffice's own attribute
    is_truth = kind == "float" and cell.get("office:value") in {"0", "1"} and (shown or "").isalpha()
    return Shown.BOOLEAN if is_truth else None
