"""The rows of .xlsx, .xls and .ods, by calamine."""

import io
from collections.abc import Iterator

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from import_service.domain.cells import duration_text, plain_text
from import_service.domain.refusal import (
    DAMAGED,
    ENCRYPTED,
    MACROS,
    TOO_MANY_COLUMNS,
    TOO_MANY_SHEETS,
    FileRefused,
)
from import_service.parser.archive import ENCRYPTED_DETAIL, MACROS_DETAIL, check_archive
from import_service.parser.cell_styles import PERCENT, Notes, ods_notes, xlsx_notes
from import_service.parser.recognising import Format, has_vba_storage

MAX_SHEETS = 100
MAX_COLUMNS = 256
NumberedRow = tuple[int, list[str]]


def read_spreadsheet(data: bytes, kind: Format) -> Iterator[NumberedRow]:
    """The rows of the first visible sheet with their numbers, empty ones too. Raises FileRefused."""
    archive = None
    if kind is Format.XLS:
        if has_vba_storage(data):
            raise FileRefused(MACROS, MACROS_DETAIL)
    else:
        archive = check_archive(data, kind)
    try:
        sheet = _first_sheet(CalamineWorkbook.from_filelike(io.BytesIO(data)))
    except PasswordError:
        raise FileRefused(ENCRYPTED, ENCRYPTED_DETAIL) from None
    except CalamineError as error:
        raise _damaged(error) from None
    notes: Notes = {}
    if archive is not None:
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


def _rows(sheet: CalamineSheet, notes: Notes, *, is_ods: bool) -> Iterator[NumberedRow]:
    left = sheet.start[1] if sheet.start else 0
    for index, row in enumerate(sheet.iter_rows()):
        if notes:
            cells = [
                _noted(plain_text(value, percent=(note := notes.get((index, left + place))) == PERCENT), note)
                for place, value in enumerate(row)
            ]
        else:
            cells = [value if type(value) is str else plain_text(value) for value in row]
        if is_ods:
            cells = [duration_text(cell) if cell.startswith("PT") else cell for cell in cells]
        yield index + 1, cells


def _noted(text: str, note: str | None) -> str:
    return note if note is not None and note != PERCENT else text
