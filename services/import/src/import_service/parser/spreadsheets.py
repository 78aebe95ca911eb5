"""The rows of .xlsx, .xls and .ods, by calamine."""

import io
from collections.abc import Iterator, Mapping, Sequence

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from import_service.domain.cells import BrokenCell, CellValue, duration_text, plain_text
from import_service.domain.refusal import (
    DAMAGED,
    ENCRYPTED,
    MACROS,
    TOO_MANY_COLUMNS,
    TOO_MANY_SHEETS,
    FileRefused,
)
from import_service.domain.rows import SheetRow
from import_service.parser.archive import ENCRYPTED_DETAIL, MACROS_DETAIL, check_archive
from import_service.parser.cell_notes import Note, Notes
from import_service.parser.ods_notes import ods_notes
from import_service.parser.recognising import Format, has_vba_storage
from import_service.parser.xls_notes import xls_notes
from import_service.parser.xlsx_notes import xlsx_notes

MAX_SHEETS = 100
MAX_COLUMNS = 256


def read_spreadsheet(data: bytes, kind: Format) -> Iterator[SheetRow]:
    """The rows of the first visible sheet with their numbers, empty ones too. Raises FileRefused."""
    archive = None
    if kind is Format.XLS:
        if has_vba_storage(data):
            raise FileRefused(MACROS, MACROS_DETAIL)
    else:
        archive = check_archive(data, kind)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = _first_sheet(workbook)
    except PasswordError:
        raise FileRefused(ENCRYPTED, ENCRYPTED_DETAIL) from None
    except CalamineError as error:
        raise _damaged(error) from None
    if archive is None:
        notes = xls_notes(data, workbook.sheet_names.index(sheet.name))
    else:
        notes = (ods_notes if kind is Format.ODS else xlsx_notes)(archive, sheet.name)
    return _rows(sheet, notes, is_ods=kind is Format.ODS)


def _damaged(error: Exception) -> FileRefused:
    if "password" in str(error).casefold() or "encrypt" in str(error).casefold():
        return FileRefused(ENCRYPTED, ENCRYPTED_DETAIL)
    return FileRefused(
        DAMAGED, "The workbook can't be read: open it in a spreadsheet program and save it anew."
    )


def _first_sheet(workbook: CalamineWorkbook) -> CalamineSheet:
    sheets = workbook.sheets_metadata
    if len(sheets) > MAX_SHEETS:
        raise FileRefused(TOO_MANY_SHEETS, f"The workbook has more than {MAX_SHEETS} sheets: keep the first.")
    if any(sheet.typ in (SheetTypeEnum.MacroSheet, SheetTypeEnum.Vba) for sheet in sheets):
        raise FileRefused(MACROS, MACROS_DETAIL)
    tables = [sheet for sheet in sheets if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet for sheet in tables if sheet.visible == SheetVisibleEnum.Visible]
    if not tables:
        raise FileRefused(DAMAGED, "The workbook has no sheet with cells: copy the rows into a new workbook.")
    sheet = workbook.get_sheet_by_name((visible or tables)[0].name)
    if sheet.end is not None and sheet.end[1] >= MAX_COLUMNS:
        message = (
            f"The sheet is wider than {MAX_COLUMNS} columns: delete what stands to the right of the table."
        )
        raise FileRefused(TOO_MANY_COLUMNS, message)
    return sheet


def _rows(sheet: CalamineSheet, notes: Notes, *, is_ods: bool) -> Iterator[SheetRow]:
    left = sheet.start[1] if sheet.start else 0
    index = -1
    for index, values in enumerate(sheet.iter_rows()):
        row = [duration_text(v) if type(v) is str else v for v in values] if is_ods else values
        if noted := notes.of(index):
            yield _noted(index, row, left, noted)
        else:
            yield SheetRow(index + 1, [v if type(v) is str else plain_text(v) for v in row])
    # Calamine passes over rows in which nothing has a value.
    for below in notes.rows_from(index + 1):
        yield _noted(below, [""] * sheet.width, left, notes.of(below) or {})


def _noted(index: int, row: Sequence[CellValue], left: int, noted: Mapping[int, Note]) -> SheetRow:
    notes = [noted.get(left + place) for place in range(len(row))]
    broken = {place: note for place, note in enumerate(notes) if isinstance(note, BrokenCell)}
    cells = [
        note.text if isinstance(note, BrokenCell) else plain_text(value, note)
        for value, note in zip(row, notes, strict=True)
    ]
    return SheetRow(index + 1, cells, broken)
