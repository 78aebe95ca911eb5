"""A workbook as LibreOffice itself wrote it in each format: `data/README.md` says how."""

from decimal import Decimal
from pathlib import Path

import pytest
from import_service.domain.question import (
    ChoiceKey,
    ManualKey,
    NumericKey,
    Question,
    ShortTextKey,
    TrueFalseKey,
)
from import_service.parser.frames import Bad, Good

from .reading import rows

DATA = Path(__file__).parent / "data"
FORMATS = ("xlsx", "xls", "ods", "csv")
TYPED_ERROR = 12
"""The row whose accepted answer is the text #N/A."""


def read(extension: str) -> list[Good | Bad]:
    name = f"libreoffice.{extension}"
    return rows((DATA / name).read_bytes(), name)


@pytest.mark.parametrize("extension", FORMATS)
def test_cells_are_read_as_they_are_shown(extension: str) -> None:
    items = [row.item for row in read(extension) if isinstance(row, Good) and row.row != TYPED_ERROR]
    questions = [item for item in items if isinstance(item, Question)]
    assert [option.text for option in questions[0].options] == [
        "2024-03-05",
        "42",
        "TRUE",
        "2024-03-05 14:30",
        "09:30",
    ]
    assert (questions[0].external_id, questions[0].points_hundredths, questions[0].category) == (
        "1001",
        200,
        "2024",
    )
    assert [option.text for option in questions[1].options] == ["one", "2", "12.5%", "37.5%"]
    assert [question.key for question in questions] == [
        ChoiceKey(("B",)),
        ChoiceKey(("A", "B", "D")),
        TrueFalseKey(True),
        TrueFalseKey(False),
        NumericKey(Decimal(3), Decimal("0.1")),
        NumericKey(Decimal("2.5")),
        ShortTextKey(("1969",)),
        ShortTextKey(("Café", "cafe"), True),
        ManualKey(),
        ManualKey(),
    ]
    assert (questions[7].text, questions[9].text) == ("Two\nlines, Größe?", "Draw <b> & $x^2$.")


@pytest.mark.parametrize("extension", FORMATS)
def test_errors_are_told_by_row_and_column(extension: str) -> None:
    bad = [row for row in read(extension) if isinstance(row, Bad) and row.row != TYPED_ERROR]
    told = [(row.row, fault.column, fault.code, fault.message) for row in bad for fault in row.faults]
    assert [(row, column, code) for row, column, code, _ in told] == [
        (13, "option_a", "cell_error"),
        (14, "correct", "cell_error"),
        (15, "question", "cell_error"),
    ]
    for (*_, message), error in zip(told, ("#DIV/0!", "#N/A", "#NAME?"), strict=True):
        assert message.startswith(f"The cell holds the error {error}: repair the formula, or type the value.")


@pytest.mark.parametrize("extension", FORMATS)
def test_an_error_that_was_typed_as_text_is_text_where_the_format_can_tell(extension: str) -> None:
    (row,) = (row for row in read(extension) if row.row == TYPED_ERROR)
    if extension == "csv":
        assert isinstance(row, Bad)
        assert [fault.column for fault in row.faults] == ["correct"]
        assert "as .xlsx" in row.faults[0].message
    else:
        assert isinstance(row, Good)
        assert isinstance(row.item, Question)
        assert row.item.key == ShortTextKey(("#N/A",))
