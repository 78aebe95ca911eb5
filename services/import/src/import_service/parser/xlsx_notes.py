"""The notes of an .xlsx sheet, read only where it has percentages, formulas or errors at all."""

import posixpath
import re
import zipfile

from import_service.domain.cells import WITHOUT_VALUE, Shown, error_cell
from import_service.parser.cell_notes import (
    BUILT_IN_PERCENT,
    Attributes,
    Note,
    Notes,
    shows_percent,
    walk_xml,
)

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_FORMULAS_AND_ERRORS = (b"</f>", b":f>", b't="e"', b"t='e'")
_TEXT_TYPES = {"s", "str", "inlineStr"}


def xlsx_notes(archive: zipfile.ZipFile, sheet_name: str) -> Notes:
    """The notes of one sheet of an .xlsx."""
    path = _sheet_path(archive, sheet_name)
    if path is None:
        return Notes()
    sheet = archive.read(path)
    styles = _percent_styles(archive)
    if not styles and not any(sign in sheet for sign in _FORMULAS_AND_ERRORS):
        return Notes()
    return _SheetScan(styles, values_are_kept=not _asks_for_calculation(archive)).scan(sheet)


class _SheetScan:
    """`values_are_kept` False: nobody calculated yet, so that a formula's 0 may be a placeholder."""

    def __init__(self, percent_styles: set[str], *, values_are_kept: bool) -> None:
        self._styles = percent_styles
        self._no_value = {""} if values_are_kept else {"", "0"}
        self._notes = Notes()
        self._row = -1
        self._column = -1
        self._type = self._style = self._value = ""
        self._is_formula = self._in_value = False

    def scan(self, sheet: bytes) -> Notes:
        walk_xml(sheet, self._start, self._end, self._text)
        return self._notes

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._column = -1
        elif name == "c":
            self._place(attributes.get("r", ""))
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s", "")
            self._value = ""
            self._is_formula = False
        elif name == "f":
            self._is_formula = True
        elif name == "v":
            self._in_value = True

    def _place(self, reference: str) -> None:
        match = _REFERENCE.fullmatch(reference)
        if match:
            self._row = int(match[2]) - 1
            self._column = _column(match[1])
        else:
            self._column += 1

    def _text(self, text: str) -> None:
        if self._in_value:
            self._value += text

    def _end(self, name: str) -> None:
        if name == "v":
            self._in_value = False
        elif name == "c" and (note := self._note(self._value.strip())):
            self._notes.add(self._row, self._column, note)

    def _note(self, value: str) -> Note | None:
        if self._type == "e":
            return error_cell(value)
        if self._is_formula and self._type not in _TEXT_TYPES and value in self._no_value:
            return WITHOUT_VALUE
        is_number = self._type == "n" and value
        return Shown.PERCENT if is_number and self._style in self._styles else None


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
    walk_xml(archive.read("xl/workbook.xml"), in_workbook)
    walk_xml(archive.read("xl/_rels/workbook.xml.rels"), in_relationships)
    target = targets.get(found[0], "") if found else ""
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    return path if path in names else None


def _percent_styles(archive: zipfile.ZipFile) -> set[str]:
    """The indexes of cell styles whose number format shows a percentage."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    percent_formats = {str(number) for number in BUILT_IN_PERCENT}
    styles: set[str] = set()
    state = {"inside": False, "index": 0}

    def start(name: str, attributes: Attributes) -> None:
        if name == "numFmt" and shows_percent(attributes.get("formatCode", "")):
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

    walk_xml(archive.read("xl/styles.xml"), start, end)
    return styles


def _asks_for_calculation(archive: zipfile.ZipFile) -> bool:
    """Whether the writer left it to the next program to calculate, as XlsxWriter does."""
    found = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal found
        found = found or (name == "calcPr" and attributes.get("fullCalcOnLoad") in {"1", "true"})

    walk_xml(archive.read("xl/workbook.xml"), start)
    return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
