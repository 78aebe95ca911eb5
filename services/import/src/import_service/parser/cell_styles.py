"""What calamine leaves out of zipped workbooks: which cells show a percentage, and which an error.

Only read where the file has such cells at all; positions are (row, column) from 0.
"""

import posixpath
import re
import zipfile
from collections.abc import Callable
from xml.parsers import expat

from import_service.domain.refusal import DAMAGED, FileRefused

Notes = dict[tuple[int, int], str]
PERCENT = "percent"
Attributes = dict[str, str]

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_BUILT_IN_PERCENT = {9, 10}
_MAX_NOTES = 2_000_000


def xlsx_notes(archive: zipfile.ZipFile, sheet_name: str) -> Notes:
    """The notes of one sheet of an .xlsx: PERCENT, or the error's text such as #N/A."""
    path = _sheet_path(archive, sheet_name)
    if path is None:
        return {}
    sheet = archive.read(path)
    styles = _percent_styles(archive)
    if not styles and b't="e"' not in sheet and b"t='e'" not in sheet:
        return {}
    return _SheetScan(styles).scan(sheet)


class _SheetScan:
    def __init__(self, percent_styles: set[str]) -> None:
        self._styles = percent_styles
        self._notes: Notes = {}
        self._row = -1
        self._column = -1
        self._is_error = False
        self._error: list[str] | None = None

    def scan(self, sheet: bytes) -> Notes:
        _parse(sheet, self._start, self._end, self._text)
        return self._notes

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif name == "v":
            self._error = [] if self._is_error else None
        elif name == "c":
            self._place(attributes.get("r", ""))
            if attributes.get("t") == "e":
                self._is_error = True
            elif attributes.get("s") in self._styles and attributes.get("t", "n") == "n":
                self._note(PERCENT)

    def _place(self, reference: str) -> None:
        match = _REFERENCE.fullmatch(reference)
        if match:
            self._row = int(match[2]) - 1
            self._column = _column(match[1])
        else:
            self._column += 1

    def _text(self, text: str) -> None:
        if self._error is not None:
            self._error.append(text)

    def _end(self, name: str) -> None:
        if name == "v" and self._error is not None:
            self._note("".join(self._error).strip() or "#ERROR")
            self._error = None
        elif name == "c":
            self._is_error = False

    def _note(self, what: str) -> None:
        if len(self._notes) < _MAX_NOTES:
            self._notes[self._row, self._column] = what


def ods_notes(archive: zipfile.ZipFile, sheet_name: str) -> Notes:
    """The same for one sheet of an .ods."""
    content = archive.read("content.xml")
    if b'value-type="percentage"' not in content and b'value-type="error"' not in content:
        return {}
    return _TableScan(sheet_name).scan(content)


class _TableScan:
    def __init__(self, sheet_name: str) -> None:
        self._sheet = sheet_name
        self._inside = False
        self._notes: Notes = {}
        self._row = 0
        self._rows = 1
        self._column = 0

    def scan(self, content: bytes) -> Notes:
        _parse(content, self._start, self._end, lambda _text: None)
        return self._notes

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self._inside = attributes.get("table:name") == self._sheet
            self._row = 0
        elif name == "table:table-row":
            self._rows = int(attributes.get("table:number-rows-repeated", "1"))
            self._column = 0
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            self._cell(attributes)

    def _cell(self, attributes: Attributes) -> None:
        columns = int(attributes.get("table:number-columns-repeated", "1"))
        kind = attributes.get("calcext:value-type") or attributes.get("office:value-type")
        note = {"percentage": PERCENT, "error": "#ERROR"}.get(kind or "")
        if self._inside and note and len(self._notes) + self._rows * columns <= _MAX_NOTES:
            for row in range(self._row, self._row + self._rows):
                for column in range(self._column, self._column + columns):
                    self._notes[row, column] = note
        self._column += columns

    def _end(self, name: str) -> None:
        if name == "table:table-row":
            self._row += self._rows
        elif name == "table:table":
            self._inside = False


def _sheet_path(archive: zipfile.ZipFile, sheet_name: str) -> str | None:
    """The part in which a sheet lies, by way of the workbook's relationships."""
    found: list[str] = []
    targets: dict[str, str] = {}

    def in_workbook(name: str, attributes: Attributes) -> None:
        if name == "sheet" and attributes.get("name") == sheet_name:
            found.extend(value for key, value in attributes.items() if key.endswith(":id"))

    def in_relationships(name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    _parse(archive.read("xl/workbook.xml"), in_workbook)
    _parse(archive.read("xl/_rels/workbook.xml.rels"), in_relationships)
    target = targets.get(found[0], "") if found else ""
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return path if path in names else None


def _percent_styles(archive: zipfile.ZipFile) -> set[str]:
    """The indexes of cell styles whose number format shows a percentage."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    percent_formats = {str(number) for number in _BUILT_IN_PERCENT}
    styles: set[str] = set()
    state = {"inside": False, "index": 0}

    def start(name: str, attributes: Attributes) -> None:
        if name == "numFmt" and "%" in _QUOTED.sub("", attributes.get("formatCode", "")):
            percent_formats.add(attributes.get("numFmtId", ""))
        elif name == "cellXfs":
            state["inside"] = True
        elif name == "xf" and state["inside"]:
            if attributes.get("numFmtId") in percent_formats:
                styles.add(str(state["index"]))
            state["index"] += 1

    def end(name: str) -> None:
        if name == "cellXfs":
            state["inside"] = False

    _parse(archive.read("xl/styles.xml"), start, end)
    return styles


def _parse(
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


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
