"""Cells as the plain text that a person would expect: `42` not `42.0`, `2024-03-05`, `TRUE`, `50%`."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import NamedTuple

from import_service.domain.refusal import shown

CellValue = str | int | float | bool | date | datetime | time | timedelta | None

# A spreadsheet shows 15 significant digits, and its floats hold no more that anyone typed.
_DIGITS = ".15g"
_ISO_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")


class Shown(Enum):
    """How a cell shows its number, where it is not as a number."""

    PERCENT = auto()
    BOOLEAN = auto()


class BrokenCell(NamedTuple):
    """A cell that holds no value: what stands for it, and why as a code and a sentence."""

    text: str
    code: str
    message: str


ERROR_TEXTS = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!"}
    | {f"Err:{number}" for number in range(501, 541)}
)
"""What Excel and LibreOffice show for errors."""

WITHOUT_VALUE = BrokenCell(
    "=?",
    "formula_without_value",
    "The value of the cell's formula is missing in the file: open and save the workbook once in Excel or "
    "LibreOffice, so that the formula's value is stored.",
)


def error_cell(text: str) -> BrokenCell:
    """A cell that holds an error, shown as `text`."""
    error = shown(text) or "#ERROR"
    message = f"The cell holds the error {error}: repair the formula, or type the value."
    return BrokenCell(error, "cell_error", message)


def error_text(text: str) -> BrokenCell:
    """A text that a formula's error most likely became, in a format that can't tell the two apart."""
    told = error_cell(text)
    return told._replace(message=f"{told.message} If it is meant as text, import the workbook as .xlsx.")


def plain_text(value: CellValue, shown_as: Shown | None = None) -> str:
    """The text of a cell."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _shown_number(value, shown_as)
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case time():
            return _clock(value)
        case timedelta():
            return _duration(value)


def duration_text(text: str) -> str:
    """OpenDocument's `PT25H30M00S` as `25:30`; any other text unchanged."""
    match = _ISO_DURATION.fullmatch(text) if text.startswith("PT") else None
    return _hours(int(match[1]), int(match[2]), int(match[3])) if match else text


def _shown_number(value: int | float, shown_as: Shown | None) -> str:
    if shown_as is Shown.PERCENT:
        return _percentage(value)
    return plain_text(bool(value)) if shown_as is Shown.BOOLEAN else _number(value)


def _number(value: int | float) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    rounded = format(value, _DIGITS) if isinstance(value, float) else str(value)
    if rounded in {"inf", "-inf", "nan"}:
        return rounded
    number = Decimal(rounded)
    if abs(number.adjusted()) > 20:
        return rounded
    plain = format(number, "f")
    return plain if plain.strip("-0.") else "0"


def _percentage(value: int | float) -> str:
    return f"{_number(float(Decimal(_number(value)) * 100))}%" if abs(value) < 1e15 else _number(value)


def _moment(value: datetime) -> str:
    # Spreadsheets keep a moment as a binary fraction of a day: the last microseconds are noise.
    rounded = (value.replace(tzinfo=None) + timedelta(microseconds=500_000)).replace(microsecond=0)
    if rounded.time() == time():
        return rounded.date().isoformat()
    return f"{rounded.date().isoformat()} {_clock(rounded.time())}"


def _clock(value: time) -> str:
    seconds = value.hour * 3600 + value.minute * 60 + value.second + round(value.microsecond / 1e6)
    hours, rest = divmod(min(seconds, 86_399), 3600)
    return _hours(hours, *divmod(rest, 60))


def _duration(value: timedelta) -> str:
    seconds = round(abs(value).total_seconds())
    hours, rest = divmod(seconds, 3600)
    return ("-" if value < timedelta() else "") + _hours(hours, *divmod(rest, 60))


def _hours(hours: int, minutes: int, seconds: int) -> str:
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
