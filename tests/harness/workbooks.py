"""Question workbooks for tests."""

import io
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import xlsxwriter

from tests.harness.oracle import Authored


def xlsx(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A workbook whose header holds every column that any row has."""
    rows = list(rows)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, columns)
        for number, row in enumerate(rows, start=1):
            for place, column in enumerate(columns):
                if row.get(column) is not None:
                    sheet.write(number, place, row[column])
    return buffer.getvalue()


def every_type(mark: str) -> list[Authored]:
    """Two questions of each type that is graded by itself, and an essay; `mark` makes the texts unique."""
    animals = ("Whale", "Trout", "Bat", "Eagle")
    return [
        Authored("single_choice", f"{mark}: Which one is a fish?", ["Trout"], animals, Decimal(2)),
        Authored("single_choice", f"{mark}: Which one is a bird?", ["Eagle"], animals),
        Authored("multi_choice", f"{mark}: Which are mammals?", ["Whale", "Bat"], animals, Decimal(3)),
        Authored("multi_choice", f"{mark}: Which can fly?", ["Bat", "Eagle"], animals, Decimal("1.5")),
        Authored("true_false", f"{mark}: Water boils at 100 °C at sea level.", True),
        Authored("true_false", f"{mark}: The Sun orbits the Earth.", False),
        Authored(
            "numeric", f"{mark}: What is $g$ in m/s²?", Decimal("9.81"), (), Decimal(2), Decimal("0.02")
        ),
        Authored("numeric", f"{mark}: How much is 6 × 7?", Decimal(42)),
        Authored("short_text", f"{mark}: Who wrote the Principia?", ["Newton", "Isaac Newton"]),
        Authored("short_text", f"{mark}: Which gas do plants take in?", ["CO2", "carbon dioxide"]),
        Authored("text", f"{mark}: Explain gravity to a child.", None, (), Decimal(4)),
    ]
