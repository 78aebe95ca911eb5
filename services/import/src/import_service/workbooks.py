"""Workbooks that we write: failed rows with their reasons, and templates. Never a formula."""

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from import_service.domain.columns import COLUMNS, REQUIRED, Kind
from import_service.repository import FailedRow

ERROR_COLUMNS = ("error", "error_column", "error_code")
MAX_CELL_CHARACTERS = 32_767
_PLAIN_STRINGS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}

_QUESTION_EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "external_id": "geo-001",
        "type": "single_choice",
        "question": "Which city is the capital of Australia?",
        "option_a": "Sydney",
        "option_b": "Canberra",
        "option_c": "Melbourne",
        "correct": "B",
        "points": "1",
        "category": "geography",
        "tags": "capitals, oceania",
        "explanation": "Canberra was chosen in 1908.",
    },
    {
        "type": "multi_choice",
        "question": "Which of these numbers are prime?",
        "option_a": "2",
        "option_b": "9",
        "option_c": "11",
        "option_d": "15",
        "correct": "A,C",
        "points": "2",
        "category": "mathematics",
    },
    {
        "type": "true_false",
        "question": "Light travels faster than sound.",
        "correct": "true",
        "points": "1",
        "category": "physics",
    },
    {
        "type": "numeric",
        "question": "What is $\\pi$ to two decimals?",
        "correct": "3.14",
        "tolerance": "0.005",
        "points": "1.5",
        "category": "mathematics",
    },
    {
        "type": "short_text",
        "question": "Which gas do plants take up for photosynthesis?",
        "correct": "carbon dioxide|CO2",
        "case_sensitive": "false",
        "points": "1",
        "category": "biology",
    },
    {
        "type": "text",
        "question": "Explain why the sky is blue.",
        "points": "5",
        "category": "physics",
        "explanation": "Rayleigh scattering.",
    },
    {
        "type": "image",
        "question": "Draw a right-angled triangle and upload a photo of it.",
        "points": "3",
        "category": "mathematics",
    },
)
_USER_EXAMPLES: tuple[dict[str, str], ...] = (
    {"email": "ada.lovelace@example.com", "name": "Ada Lovelace", "groups": "class-10a, chess"},
    {
        "email": "alan.turing@example.com",
        "name": "Alan Turing",
        "groups": "class-10b",
        "password": "choose-a-long-one",
    },
)
_EXAMPLES = {Kind.QUESTIONS: _QUESTION_EXAMPLES, Kind.USERS: _USER_EXAMPLES}


class ErrorWorkbook:
    """Written row by row, so that it needs little memory. `finish` gives the file."""

    def __init__(self, header: Sequence[str]) -> None:
        self._buffer = io.BytesIO()
        self._book = xlsxwriter.Workbook(self._buffer, {"constant_memory": True, **_PLAIN_STRINGS})
        self._sheet = self._book.add_worksheet("Errors")
        self._width = len(header)
        self._next = 0
        self._write((*ERROR_COLUMNS, "row", *header), self._book.add_format({"bold": True}))

    def add(self, rows: Iterable[FailedRow]) -> None:
        for row in rows:
            cells = (*row.cells, *[""] * self._width)[: self._width]
            self._write((*_reasons(row), str(row.row), *cells))

    def finish(self) -> bytes:
        self._sheet.freeze_panes(1, 0)
        self._book.close()
        return self._buffer.getvalue()

    def _write(self, cells: Sequence[str], style: object = None) -> None:
        for column, text in enumerate(cells):
            if text:
                self._sheet.write_string(self._next, column, text[:MAX_CELL_CHARACTERS], style)
        self._next += 1


def _reasons(row: FailedRow) -> tuple[str, str, str]:
    return (
        "\n".join(fault.message for fault in row.faults),
        ", ".join(dict.fromkeys(fault.column for fault in row.faults if fault.column)),
        ", ".join(dict.fromkeys(fault.code for fault in row.faults)),
    )


def template(kind: Kind) -> bytes:
    """A workbook with the header and an example of each type, all cells text."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **_PLAIN_STRINGS})
    sheet = book.add_worksheet(kind.value.capitalize())
    required, optional = book.add_format({"bold": True}), book.add_format({"italic": True})
    # As text a cell keeps what is typed: 1/2 stays 1/2 and does not become a date.
    as_text = book.add_format({"num_format": "@"})
    for column, name in enumerate(COLUMNS[kind]):
        sheet.set_column(column, column, 48 if name == "question" else 18, as_text)
        sheet.write_string(0, column, name, required if name in REQUIRED[kind] else optional)
        for row, example in enumerate(_EXAMPLES[kind], start=1):
            if name in example:
                sheet.write_string(row, column, example[name], as_text)
    sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()
