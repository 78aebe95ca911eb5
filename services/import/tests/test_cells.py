"""What cells and numbers are read as."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_service.domain.cells import Shown, duration_text, plain_text
from import_service.domain.numbers import NotANumber, number_text, parse_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  as it is ", "  as it is "),
        (42.0, "42"),
        (-42.0, "-42"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (3.50, "3.5"),
        (1e15, "1000000000000000"),
        (12345678901234567890.0, "12345678901234600000"),
        (0.0000001, "0.0000001"),
        (1e300, "1e+300"),
        (7, "7"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2024, 3, 5), "2024-03-05"),
        (datetime(2024, 3, 5), "2024-03-05"),  # noqa: DTZ001 - a cell has no time zone
        (datetime(2024, 3, 5, 14, 29, 59, 999_999), "2024-03-05 14:30"),  # noqa: DTZ001
        (datetime(2024, 3, 5, 14, 30, 15), "2024-03-05 14:30:15"),  # noqa: DTZ001
        (time(9, 30), "09:30"),
        (time(9, 29, 59, 999_999), "09:30"),
        (time(23, 59, 59, 999_999), "23:59:59"),
        (time(0, 0, 5), "00:00:05"),
        (timedelta(hours=25, minutes=30), "25:30"),
        (timedelta(seconds=-90), "-00:01:30"),
    ],
)
def test_cells_as_a_person_expects_them(value: object, text: str) -> None:
    assert plain_text(value) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "50%"), (0.07, "7%"), (0.1234, "12.34%"), (1, "100%"), (0, "0%")]
)
def test_percentages(value: float, text: str) -> None:
    assert plain_text(value, Shown.PERCENT) == text


def test_durations_of_opendocument() -> None:
    assert duration_text("PT25H30M00S") == "25:30"
    assert duration_text("PT boat") == "PT boat"


@given(st.integers(min_value=-(10**14), max_value=10**14))
def test_whole_numbers_have_no_point(number: int) -> None:
    assert plain_text(float(number)) == str(number)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_typed_decimals_come_back(number: Decimal) -> None:
    assert Decimal(plain_text(float(number))) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", "3"),
        (" 3.50 ", "3.5"),
        ("-2", "-2"),
        ("−2,5", "-2.5"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("3,5", "3.5"),
        ("0,125", "0.125"),
        ("1,2345", "1.2345"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1,234,567.0", "1234567"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("-0", "0"),
    ],
)
def test_numbers_that_are_read(text: str, number: str) -> None:
    assert number_text(parse_number(text)) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1,234",
        "12,345",
        "50%",
        "1/2",
        "3.5.1",
        "1e9999",
        "nan",
        "inf",
        "9" * 31,
        "1 2",
        "٣",
        "0x10",
    ],
)
def test_numbers_that_are_not(text: str) -> None:
    with pytest.raises(NotANumber) as refused:
        parse_number(text)
    assert str(refused.value).endswith(".")


def test_an_ambiguous_number_is_said_to_be_so() -> None:
    with pytest.raises(NotANumber, match=r"write 1\.234 or 1234"):
        parse_number("1,234")


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        number = parse_number(text)
    except NotANumber:
        return
    assert parse_number(number_text(number)) == number
