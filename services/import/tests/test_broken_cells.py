"""Cells that hold no value: errors, and formulas that nobody calculated."""

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from import_service.domain.columns import Kind
from import_service.parser.frames import Bad, Good

from .makers import QUESTION_HEADER, USER_HEADER, ods, question_grid, with_replaced, xlsx
from .reading import rows

CELL_ERROR, NO_VALUE = "cell_error", "formula_without_value"
Grid = list[list[Any]]
Faults = list[tuple[int, str, str]]
ERROR_NUMBERS = {
    "#NULL!": 0x00,
    "#DIV/0!": 0x07,
    "#VALUE!": 0x0F,
    "#REF!": 0x17,
    "#NAME?": 0x1D,
    "#N/A": 0x2A,
}


def faults(data: bytes, filename: str, kind: Kind = Kind.QUESTIONS) -> Faults:
    return [
        (row.row, fault.column, fault.code)
        for row in rows(data, filename, kind)
        if isinstance(row, Bad)
        for fault in row.faults
    ]


def by_openpyxl(grid: Grid) -> bytes:
    """Texts that begin with = are formulas, without values; a text that names an error is that error."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in grid:
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_xlwt(grid: Grid, formats: Mapping[tuple[int, int], str] | None = None) -> bytes:
    """The same as .xls. `formats`: number formats by place."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Questions")
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            style = xlwt.easyxf(num_format_str=(formats or {}).get((r, c), "General"))
            if value in ERROR_NUMBERS:
                sheet.row(r).set_cell_error(c, ERROR_NUMBERS[value], style)
            elif isinstance(value, str) and value.startswith("="):
                sheet.write(r, c, xlwt.Formula(value[1:]), style)
            elif value != "":
                sheet.write(r, c, value, style)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def by_odfpy(grid: Grid) -> bytes:
    """The same as .ods, but for the errors."""
    return ods([[(v, None) if isinstance(v, str) and v.startswith("=") else v for v in row] for row in grid])


WRITERS: dict[str, Callable[[Grid], bytes]] = {"a.xlsx": by_openpyxl, "a.xls": by_xlwt, "a.ods": by_odfpy}


@pytest.mark.parametrize("filename", WRITERS)
def test_a_formula_without_its_value_is_not_an_empty_cell(filename: str) -> None:
    grid = question_grid(
        {"question": '="Which"&"?"', "explanation": ""},
        {"option_b": "=1+1", "correct": "B"},
        {"question": "Sound?"},
        {"question": ""},
    )
    data = WRITERS[filename](grid)
    assert faults(data, filename) == [
        (2, "question", NO_VALUE),
        (3, "option_b", NO_VALUE),
        (5, "question", "missing"),
    ]
    (first, *_) = (row for row in rows(data, filename) if isinstance(row, Bad))
    assert "open and save the workbook once in Excel or LibreOffice" in first.faults[0].message


@pytest.mark.parametrize("filename", WRITERS)
def test_rows_of_nothing_but_such_formulas_are_not_passed_over(filename: str) -> None:
    grid = [["type", "question", "correct"], ["text", "One?", ""], ["=A2", "=B2", "=C2"]]
    assert faults(WRITERS[filename](grid), filename) == [
        (3, column, NO_VALUE) for column in ("type", "question", "correct")
    ]


@pytest.mark.parametrize("filename", ["a.xlsx", "a.xls"])
@pytest.mark.parametrize("error", ERROR_NUMBERS)
def test_every_error_is_told_in_its_column(filename: str, error: str) -> None:
    (row,) = rows(WRITERS[filename](question_grid({"option_b": error, "correct": "B"})), filename)
    assert isinstance(row, Bad)
    message = f"The cell holds the error {error}: repair the formula, or type the value."
    assert [(one.column, one.code, one.message) for one in row.faults] == [("option_b", CELL_ERROR, message)]


@pytest.mark.parametrize("filename", ["a.xlsx", "a.xls"])
def test_what_else_is_wrong_with_the_row_is_told_too(filename: str) -> None:
    grid = question_grid({"type": "riddle", "correct": "#REF!", "points": 0})
    assert faults(WRITERS[filename](grid), filename) == [
        (2, "correct", CELL_ERROR),
        (2, "type", "unknown_type"),
        (2, "points", "points_out_of_range"),
    ]


@pytest.mark.parametrize("filename", ["a.xlsx", "a.xls"])
def test_errors_in_other_columns_are_nobodys_business(filename: str) -> None:
    grid = question_grid({})
    grid[0].append("notes")
    grid[1].append("#DIV/0!")
    (row,) = rows(WRITERS[filename](grid), filename)
    assert isinstance(row, Good)


@pytest.mark.parametrize("filename", ["a.xlsx", "a.xls"])
def test_errors_in_user_workbooks(filename: str) -> None:
    grid = [list(USER_HEADER), ["#REF!", "Ada", "", ""], ["bob@example.com", "Bob", "", "#N/A"]]
    assert faults(WRITERS[filename](grid), filename, Kind.USERS) == [
        (2, "email", CELL_ERROR),
        (3, "password", CELL_ERROR),
    ]


def test_xlsxwriters_zero_stands_for_a_value_that_nobody_calculated() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["type", "question", "correct"])
    sheet.write_row(1, 0, ["numeric", "How much?", "=2*3"])
    sheet.write_row(2, 0, ["numeric", "How much now?", 0])
    book.close()
    assert faults(buffer.getvalue(), "a.xlsx") == [(2, "correct", NO_VALUE)]


def test_formulas_with_empty_results_are_empty_cells() -> None:
    cell = '<c r="{}" t="str"><f>""</f><v></v></c>'
    grid = question_grid({"explanation": "x"})
    sheet = openpyxl.utils.get_column_letter(QUESTION_HEADER.index("explanation") + 1)
    data = xlsx(grid)
    document = _part(data, "xl/worksheets/sheet1.xml")
    start = document.index(f'<c r="{sheet}2"')
    end = document.index("</c>", start) + len("</c>")
    changed = document[:start] + cell.format(f"{sheet}2") + document[end:]
    (row,) = rows(with_replaced(data, "xl/worksheets/sheet1.xml", changed.encode()), "a.xlsx")
    assert isinstance(row, Good), row


def test_a_comment_is_no_value_of_an_opendocument_formula() -> None:
    grid = question_grid({"question": ("=1+1", None)})
    data = ods(grid)
    content = _part(data, "content.xml")
    start = content.index("of:=1+1")
    end = content.index("/>", start)
    note = "><office:annotation><text:p>note</text:p></office:annotation></table:table-cell>"
    changed = content[:end] + note + content[end + 2 :]
    assert faults(with_replaced(data, "content.xml", changed.encode()), "a.ods") == [
        (2, "question", NO_VALUE)
    ]


def test_xls_percentages_dates_and_booleans_are_read_as_shown() -> None:
    grid = [
        list(QUESTION_HEADER),
        ["", "multi_choice", "Which?", 0.125, 0.5, 1, 0.25, 1.0625, True, date(2024, 3, 5), time(9, 30), "A"],
        ["", "multi_choice", "Which?", datetime(2024, 3, 5, 14, 30), 0.5, 7, "", "", "", "", "", "A"],  # noqa: DTZ001
    ]
    codes = ("0.0%", "0%", "0%", '0.00"%"', "[h]:mm", "General", "dd/mm/yyyy", "hh:mm")
    formats = {(1, place): code for place, code in enumerate(codes, start=3)} | {(2, 3): "yyyy-mm-dd hh:mm"}
    first, second = rows(by_xlwt(grid, formats), "a.xls")
    assert first.cells[3:11] == ("12.5%", "50%", "100%", "0.25", "25:30", "TRUE", "2024-03-05", "09:30")
    assert second.cells[3:6] == ("2024-03-05 14:30", "0.5", "7")


def test_the_notes_of_an_xls_are_those_of_its_first_visible_sheet() -> None:
    book = xlwt.Workbook()
    for name, answer in (("hidden", "#N/A"), ("Questions", "=1+1"), ("Other", "#N/A")):
        sheet = book.add_sheet(name)
        sheet.visibility = 1 if name == "hidden" else 0
        for place, text in enumerate(("type", "question", "correct")):
            sheet.write(0, place, text)
        sheet.write(1, 0, "numeric")
        sheet.write(1, 1, "How much?")
        if answer == "#N/A":
            sheet.row(1).set_cell_error(2, ERROR_NUMBERS[answer])
        else:
            sheet.write(1, 2, xlwt.Formula(answer[1:]))
    book.set_active_sheet(1)
    buffer = io.BytesIO()
    book.save(buffer)
    assert faults(buffer.getvalue(), "a.xls") == [(2, "correct", NO_VALUE)]


def _part(archive: bytes, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(archive)).read(name).decode()
