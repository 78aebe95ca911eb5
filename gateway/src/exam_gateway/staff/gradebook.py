"""An exam's results as a file: a row an attempt, a column a question. Never a formula."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import xlsxwriter
from examprotos.grading.v1 import marking_pb2

from exam_gateway.staff.result_shapes import Result
from exam_gateway.wire import optional, points

Cell = str | float | int | None
Row = Sequence[Cell]

COLUMNS = (
    "student_id",
    "email",
    "name",
    "attempt_no",
    "status",
    "started_at",
    "submitted_at",
    "grading",
    "total_score",
    "max_possible",
    "percentage",
    "pending_count",
)
ROWS_AT_ONCE = 20
"""So many are written before saves have their turn again."""

_FORMULA_SIGNS = tuple(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}"
    "\N{FULLWIDTH COMMERCIAL AT}"
)
_BOM = b"\xef\xbb\xbf"
_PLAIN_STRINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def header(question_ids: Sequence[str]) -> Row:
    return [*COLUMNS, *(f"Q{place}" for place, _ in enumerate(question_ids, start=1))]


def row(found: Result, grade: marking_pb2.FullResult | None, question_ids: Sequence[str]) -> Row:
    """Questions in the order of the paper: points, or why there are none."""
    items = {item.question_id: item for item in grade.items} if grade else {}
    return [
        str(found.student_id),
        found.student_email,
        found.student_name,
        found.attempt_no,
        found.status,
        _moment(found.started_at),
        _moment(found.submitted_at),
        found.grading,
        found.total_score,
        found.max_possible,
        found.percentage,
        found.pending_count,
        *(_points(items.get(one)) for one in question_ids),
    ]


def _points(item: marking_pb2.FullResultItem | None) -> Cell:
    if item is None:
        return None
    score = optional(item, "score_hundredths")
    return item.status if item.status == "excluded" or score is None else points(score)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


async def as_csv(pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """UTF-8 with the mark by which spreadsheets know it, page by page."""
    yield _BOM
    async for page in pages:
        buffer = io.StringIO()
        csv.writer(buffer).writerows([_harmless(cell) for cell in cells] for cells in page)
        yield buffer.getvalue().encode()


def _harmless(cell: Cell) -> Cell:
    """A text that spreadsheets don't take for a formula. Numbers are ours, and may be negative."""
    if not isinstance(cell, str):
        return cell
    text = " ".join(cell.split())
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


async def as_xlsx(pages: AsyncIterator[Sequence[Row]]) -> bytes:
    """A workbook. It is written row by row, and zipped beside the loop."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True, "in_memory": True, **_PLAIN_STRINGS})
    sheet = book.add_worksheet("Results")
    sheet.freeze_panes(1, 3)
    bold = book.add_format({"bold": True})
    number = 0
    async for page in pages:
        for cells in page:
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell, None if number else bold)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
            number += 1
            if number % ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
    await asyncio.to_thread(book.close)
    return buffer.getvalue()
