"""Makes `libreoffice.*`: a workbook with every kind of cell, as LibreOffice writes it in each format.

`python make.py` beside these files, with LibreOffice Calc in the PATH; the tests only read what it left.
"""

import subprocess
import tempfile
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
from import_service.domain.columns import COLUMNS, Kind

HEADER = (*COLUMNS[Kind.QUESTIONS], "notes")
ROWS: tuple[dict[str, object], ...] = (
    {
        "external_id": 1001,
        "type": "single_choice",
        "question": "Which cell holds a number?",
        "option_a": date(2024, 3, 5),
        "option_b": 42,
        "option_c": True,
        "option_d": datetime(2024, 3, 5, 14, 30),  # noqa: DTZ001 - a cell has no time zone
        "option_e": time(9, 30),
        "correct": "B",
        "points": 2,
        "category": 2024,
    },
    {
        "type": "multi_choice",
        "question": "Which are formulas?",
        "option_a": '="o"&"ne"',
        "option_b": "=1+1",
        "option_c": 0.125,
        "option_d": "=3/8",
        "option_e": '=IF(1=1,"","never")',
        "correct": "A,B,D",
        "points": 0.5,
    },
    {"type": "true_false", "question": "Is it so?", "correct": True},
    {"type": "true_false", "question": "Is it so by a formula?", "correct": "=1=2"},
    {"type": "numeric", "question": "How much?", "correct": 3.0, "tolerance": 0.1},
    {"type": "numeric", "question": "How much by a formula?", "correct": "=10/4"},
    {"type": "short_text", "question": "In which year?", "correct": 1969, "case_sensitive": False},
    {"type": "short_text", "question": "Two\nlines, Größe?", "correct": "Café|cafe", "case_sensitive": True},
    {"type": "text", "question": "Explain.", "points": 10, "notes": "=1/0"},
    {"type": "image", "question": "Draw <b> & $x^2$."},
    {"type": "short_text", "question": "What does a lookup show that finds nothing?", "correct": "#N/A"},
    {
        "type": "single_choice",
        "question": "By how much?",
        "option_a": "=1/0",
        "option_b": "ten",
        "correct": "B",
    },
    {"type": "numeric", "question": "How many?", "correct": "=NA()"},
    {"type": "short_text", "question": "=NOSUCHFUNCTION(1)", "correct": "yes"},
)
STYLES = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm", time: "hh:mm"}
PERCENTAGES = {0.125, "=3/8"}
CSV = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
"""Commas, quotation marks, UTF-8, cells as shown: what its dialogue proposes."""


def write(path: Path) -> None:
    """By openpyxl, which stores no values of formulas, so that LibreOffice calculates them."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Questions"
    sheet.append(HEADER)
    for number, row in enumerate(ROWS, start=2):
        for name, value in row.items():
            cell = sheet.cell(number, HEADER.index(name) + 1, value)
            cell.number_format = "0.0%" if value in PERCENTAGES else STYLES.get(type(value), "General")
            if value == "#N/A":
                cell.data_type = "s"  # the text, which openpyxl takes for the error
    book.save(path)


def main() -> None:
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "libreoffice.xlsx")
        write(source)
        profile = f"-env:UserInstallation=file://{folder}/profile"
        for into in ("xlsx", "xls", "ods", CSV):
            command = ("soffice", profile, "--headless", "--convert-to", into, "--outdir", here, source)
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
