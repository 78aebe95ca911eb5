"""Workbooks for tests, in every format, as spreadsheet programs write them."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import xlsxwriter
import xlwt
from import_service.domain.columns import COLUMNS, Kind

QUESTION_HEADER = COLUMNS[Kind.QUESTIONS]
USER_HEADER = COLUMNS[Kind.USERS]
Grid = Sequence[Sequence[Any]]


def question_row(**fields: Any) -> list[Any]:
    """A row in the order of the template; a sound single_choice unless told."""
    usual = {
        "type": "single_choice",
        "question": "Which?",
        "option_a": "this",
        "option_b": "that",
        "correct": "A",
    }
    fields = usual | fields
    return [fields.get(name, "") for name in QUESTION_HEADER]


def question_grid(*rows: dict[str, Any]) -> list[list[Any]]:
    return [list(QUESTION_HEADER), *(question_row(**row) for row in rows)]


def many_questions(number: int, *, bad: Iterable[int] = ()) -> list[list[Any]]:
    """`number` rows below the header; the `bad` ones (from 0) name an option that is not there."""
    wrong = set(bad)
    return question_grid(
        *({"question": f"Question {n}?", "correct": "H" if n in wrong else "B"} for n in range(number))
    )


def xlsx(
    grid: Grid, *, percent: Iterable[tuple[int, int]] = (), formats: dict[type, str] | None = None
) -> bytes:
    """As Excel writes it: shared strings, dates as styled numbers. A tuple (formula, value) is a formula."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False})
    sheet = book.add_worksheet()
    styles = {
        kind: book.add_format({"num_format": code})
        for kind, code in ((date, "yyyy-mm-dd"), (datetime, "dd/mm/yyyy hh:mm"), (time, "hh:mm"))
    }
    as_percent = book.add_format({"num_format": "0.0%"})
    shown_as_percent = set(percent)
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            style = as_percent if (r, c) in shown_as_percent else styles.get(type(value))
            if isinstance(value, tuple):
                sheet.write_formula(r, c, value[0], style, value[1])
            elif isinstance(value, str):
                sheet.write_string(r, c, value)
            elif isinstance(value, bool):
                sheet.write_boolean(r, c, value)
            elif isinstance(value, date | time):
                sheet.write_datetime(r, c, value, style)
            elif value is not None:
                sheet.write_number(r, c, value, style)
    book.close()
    return buffer.getvalue()


def xls(grid: Grid) -> bytes:
    """As Excel 97 wrote it."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Questions")
    styles = {
        kind: xlwt.easyxf(num_format_str=code)
        for kind, code in ((date, "yyyy-mm-dd"), (datetime, "yyyy-mm-dd hh:mm"), (time, "hh:mm"))
    }
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            if isinstance(value, tuple):
                sheet.write(r, c, value[1])
            elif value not in ("", None):
                sheet.write(r, c, value, styles.get(type(value), xlwt.Style.default_style))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ods(grid: Grid) -> bytes:
    """By odfpy, with typed values as LibreOffice writes them. A tuple (formula, None) has no value."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    table = Table(name="Questions")
    for row in grid:
        line = TableRow()
        for value in row:
            formula = {"formula": "of:" + value[0]} if isinstance(value, tuple) else {}
            attributes, text = _odf_value(value[1] if isinstance(value, tuple) else value)
            cell = TableCell(**attributes, **formula)
            if text:
                for paragraph in text.split("\n"):
                    cell.addElement(P(text=paragraph))
            line.addElement(cell)
        table.addElement(line)
    document.spreadsheet.addElement(table)
    buffer = io.BytesIO()
    document.write(buffer)
    return buffer.getvalue()


def _odf_value(value: Any) -> tuple[dict[str, str], str]:
    match value:
        case bool():
            return {"valuetype": "boolean", "booleanvalue": str(value).lower()}, str(value).upper()
        case int() | float():
            return {"valuetype": "float", "value": str(value)}, str(value)
        case datetime():
            return {"valuetype": "date", "datevalue": value.isoformat()}, value.strftime("%d/%m/%y %H:%M")
        case date():
            return {"valuetype": "date", "datevalue": value.isoformat()}, value.strftime("%d/%m/%y")
        case time():
            return {"valuetype": "time", "timevalue": value.strftime("PT%HH%MM%SS")}, value.strftime("%H:%M")
        case _:
            return ({"valuetype": "string"}, value) if value else ({}, "")


def csv_text(grid: Grid, delimiter: str = ",") -> str:
    """As a spreadsheet program exports it."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([_exported(v) for v in row] for row in grid)
    return buffer.getvalue()


def _exported(value: Any) -> str:
    match value:
        case (_, result):
            return _exported(result)
        case bool():
            return str(value).upper()
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case time():
            return value.strftime("%H:%M")
        case float():
            return f"{value:g}"
        case _:
            return "" if value is None else str(value)


def with_member(archive: bytes, name: str, content: bytes) -> bytes:
    """The same zip with one more part."""
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as added:
        added.writestr(name, content)
    return buffer.getvalue()


def with_replaced(archive: bytes, name: str, content: bytes) -> bytes:
    """The same zip with other content in one of its parts."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            new.writestr(member, content if member.filename == name else old.read(member))
    return buffer.getvalue()
