"""The workbooks that we write."""

import asyncio
import io
import threading
from collections.abc import Iterable

import openpyxl
import pytest
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7
from examkit.testing import TestDatabase
from import_service.domain.columns import COLUMNS, Kind
from import_service.domain.job import OnError
from import_service.parser.frames import Good
from import_service.repository import FailedRow
from import_service.usecases import documents
from import_service.usecases.documents import error_workbook, template_workbook

from .conftest import Upload
from .makers import USER_HEADER, csv_text, many_questions, question_grid, xlsx
from .reading import rows


@pytest.mark.parametrize("kind", list(Kind))
async def test_templates_are_imported_as_they_stand(kind: Kind) -> None:
    name, data = await template_workbook(kind)
    found = rows(data, name, kind)
    assert all(isinstance(row, Good) for row in found), found
    assert len(found) == (7 if kind is Kind.QUESTIONS else 2)
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    assert tuple(cell.value for cell in sheet[1]) == COLUMNS[kind]


async def test_the_error_workbook_has_the_failed_rows_as_text_with_their_reasons(
    imported: Upload, db: Database
) -> None:
    grid = question_grid(
        {"question": "Fine?"},
        {
            "question": '=HYPERLINK("http://evil")',
            "option_a": "+1",
            "option_b": "-1",
            "correct": "D",
            "points": "x",
        },
        {"question": "@SUM(A1)", "correct": "D"},
    )
    job = await imported(csv_text(grid).encode(), "my file.csv", on_error=OnError.SKIP_ROWS)
    name, data = await error_workbook(db, job.id)
    assert name == "my file-errors.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert table[0][:4] == ["error", "error_column", "error_code", "row"]
    assert tuple(table[0][4:]) == COLUMNS[Kind.QUESTIONS]
    assert [row[3] for row in table[1:]] == ["3", "4"]
    assert table[1][1] == "points, correct"
    assert "is not a number" in table[1][0]
    assert "There is no option D" in table[1][0]
    assert table[1][6:9] == ['=HYPERLINK("http://evil")', "+1", "-1"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}


async def test_a_corrected_error_workbook_can_be_imported(imported: Upload, db: Database) -> None:
    job = await imported(xlsx(many_questions(5, bad=(2,))), on_error=OnError.SKIP_ROWS)
    _, data = await error_workbook(db, job.id)
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.active
    assert sheet is not None
    place = [cell.value for cell in sheet[1]].index("correct") + 1
    sheet.cell(2, place, "A")
    buffer = io.BytesIO()
    book.save(buffer)
    again = await imported(buffer.getvalue(), "errors.xlsx")
    assert (again.imported, again.error_count) == (1, 0)


async def test_the_error_workbook_of_users_has_no_passwords(imported: Upload, db: Database) -> None:
    grid = [list(USER_HEADER), ["bad", "Bad", "10a", "topsecret"]]
    job = await imported(xlsx(grid), "users.xlsx", kind=Kind.USERS)
    _, data = await error_workbook(db, job.id)
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    cells = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "Bad" in cells
    assert "topsecret" not in cells


async def test_there_is_no_error_workbook_without_errors(imported: Upload, db: Database) -> None:
    job = await imported(xlsx(many_questions(1)))
    for job_id in (job.id, uuid7()):
        with pytest.raises(AppError) as refused:
            await error_workbook(db, job_id)
        assert refused.value.code == "not_found"


async def test_no_connection_is_kept_while_the_workbook_is_written(
    imported: Upload, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One connection serves two that are written at once: writing waits until both have begun."""
    job = await imported(xlsx(many_questions(3, bad=(0, 1, 2))))
    both = threading.Barrier(2)
    add = documents.ErrorWorkbook.add

    def add_together(book: documents.ErrorWorkbook, rows: Iterable[FailedRow]) -> None:
        both.wait(10)
        add(book, rows)

    monkeypatch.setattr(documents.ErrorWorkbook, "add", add_together)
    small = Database(database.serve_dsn, schema="import", pool_size=1)
    try:
        books = await asyncio.gather(*(error_workbook(small, job.id) for _ in range(2)))
    finally:
        await small.close()
    assert [data[:2] for _, data in books] == [b"PK", b"PK"]
