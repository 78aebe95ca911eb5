"""Numbers as people type them: with a decimal point, or with a comma where it can mean nothing else."""

import re
from decimal import Decimal

from import_service.domain.refusal import shown

MAX_DIGITS = 30
_PLAIN = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+),(\d+)", re.ASCII)
_GROUPED_COMMA_LAST = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+", re.ASCII)
_GROUPED_POINT_LAST = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+", re.ASCII)


class NotANumber(ValueError):  # noqa: N818 - named for what it tells
    """The message says what to write instead."""


def parse_number(text: str) -> Decimal:
    """The number in a cell. Raises NotANumber.

    `3.5`, `3,5`, `1.234,5`, `1,234.5`, `1e-3`. `1,234` is refused: it may mean 1.234 or 1234.
    """
    trimmed = text.strip().replace("\u2212", "-")
    if _GROUPED_COMMA_LAST.fullmatch(trimmed):
        trimmed = trimmed.replace(".", "").replace(",", ".")
    elif _GROUPED_POINT_LAST.fullmatch(trimmed):
        trimmed = trimmed.replace(",", "")
    elif match := _DECIMAL_COMMA.fullmatch(trimmed):
        whole, fraction = match[1], match[2]
        if len(fraction) == 3 and whole.lstrip("0"):
            raise NotANumber(
                f"“{shown(text)}” can be read in two ways: write {whole}.{fraction} or {whole}{fraction}."
            )
        trimmed = trimmed.replace(",", ".")
    if not _PLAIN.fullmatch(trimmed):
        raise NotANumber(f"“{shown(text)}” is not a number: write digits, such as 42 or 3.5.")
    number = Decimal(trimmed)
    if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > 100:
        raise NotANumber(f"“{shown(text)}” has too many digits: at most {MAX_DIGITS} are kept.")
    return number


def number_text(number: Decimal) -> str:
    """The canonical writing: no exponent, no trailing zeros, no negative zero."""
    plain = format(number, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain if plain.strip("-0.") else "0"
