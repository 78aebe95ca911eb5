"""Every type of question, with the cells that spreadsheet programs make, in every format."""

import io
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from import_service.domain.columns import Kind
from import_service.domain.question import (
    ChoiceKey,
    ManualKey,
    NumericKey,
    Question,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
)
from import_service.domain.student_rows import Student
from import_service.parser.frames import Bad, Good

from .makers import USER_HEADER, csv_text, ods, question_grid, question_row, with_replaced, xls, xlsx
from .reading import rows

# What a teacher typed, as the spreadsheet program stored it.
GRID = question_grid(
    {
        "external_id": 1001,
        "type": "Single choice",
        "question": "When did it begin?",
        "option_a": date(2024, 3, 5),
        "option_b": 42,
        "option_c": True,
        "option_d": datetime(2024, 3, 5, 14, 30),  # noqa: DTZ001 - a cell has no time zone
        "option_e": 3.5,
        "option_f": time(9, 30),
        "correct": "b",
        "points": 2,
        "category": 2024,
        "tags": "a; b , a",
    },
    {
        "type": "MULTI-CHOICE",
        "question": "Which?",
        "option_a": "x",
        "option_b": ('="y"&"z"', "yz"),
        "option_c": ("=1+1", 2),
        "correct": "A; c",
        "points": 0.5,
    },
    {"type": "true_false", "question": "Is it?", "option_a": "", "option_b": "", "correct": True},
    {"type": "True/False", "question": "Is it not?", "option_a": True, "option_b": False, "correct": "false"},
    {
        "type": "numeric",
        "question": "How much?",
        "option_a": "",
        "option_b": "",
        "correct": 3.0,
        "tolerance": 0.1,
    },
    {
        "type": "numeric",
        "question": "How much now?",
        "option_a": "",
        "option_b": "",
        "correct": ("=10/4", 2.5),
    },
    {
        "type": "short_text",
        "question": "In what year?",
        "option_a": "",
        "option_b": "",
        "correct": 1969,
        "case_sensitive": False,
    },
    {
        "type": "short_text",
        "question": "Two\nlines?",
        "option_a": "",
        "option_b": "",
        "correct": "Café | cafe|",
        "case_sensitive": True,
    },
    {"type": "text", "question": "Explain.", "option_a": "", "option_b": "", "correct": "", "points": 10},
    {"type": "image", "question": "Draw.", "option_a": "", "option_b": "", "correct": ""},
)
FORMATS: dict[str, Callable[[Any], bytes]] = {
    "a.xlsx": xlsx,
    "a.xls": xls,
    "a.ods": ods,
    "a.csv": lambda grid: csv_text(grid).encode(),
}


def questions(data: bytes, filename: str) -> list[Question]:
    found = rows(data, filename)
    assert all(isinstance(row, Good) for row in found), found
    return [row.item for row in found if isinstance(row, Good) and isinstance(row.item, Question)]


@pytest.mark.parametrize("filename", FORMATS)
def test_every_type_is_read_the_same_from_every_format(filename: str) -> None:
    found = questions(FORMATS[filename](GRID), filename)
    assert [one.type for one in found] == [
        QuestionType.SINGLE_CHOICE,
        QuestionType.MULTI_CHOICE,
        QuestionType.TRUE_FALSE,
        QuestionType.TRUE_FALSE,
        QuestionType.NUMERIC,
        QuestionType.NUMERIC,
        QuestionType.SHORT_TEXT,
        QuestionType.SHORT_TEXT,
        QuestionType.TEXT,
        QuestionType.IMAGE,
    ]
    first = found[0]
    assert [(option.id, option.text) for option in first.options] == [
        ("A", "2024-03-05"),
        ("B", "42"),
        ("C", "TRUE"),
        ("D", "2024-03-05 14:30"),
        ("E", "3.5"),
        ("F", "09:30"),
    ]
    assert (first.external_id, first.category, first.tags) == ("1001", "2024", ("a", "b"))
    assert first.points_hundredths == 200
    assert [option.text for option in found[1].options] == ["x", "yz", "2"]
    assert found[1].points_hundredths == 50
    assert [one.key for one in found] == [
        ChoiceKey(("B",)),
        ChoiceKey(("A", "C")),
        TrueFalseKey(True),
        TrueFalseKey(False),
        NumericKey(Decimal(3), Decimal("0.1")),
        NumericKey(Decimal("2.5")),
        ShortTextKey(("1969",)),
        ShortTextKey(("Café", "cafe"), True),
        ManualKey(),
        ManualKey(),
    ]
    assert found[7].text == "Two\nlines?"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_csv_in_every_dress(delimiter: str, encoding: str) -> None:
    grid = question_grid(
        {"question": "Où est l’été à Köln?", "option_a": "a, b; c | d", "option_b": "Straße"}
    )
    found = questions(csv_text(grid, delimiter).encode(encoding), "a.csv")
    assert found[0].text == "Où est l’été à Köln?"
    assert [option.text for option in found[0].options] == ["a, b; c | d", "Straße"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Où est passé le garçon? Il a mangé « beaucoup » — c’était très bien."),
        ("cp1252", "Größe? São ações do coração; être sûr, août."),
        ("cp1250", "Árvíztűrő tükörfúrógép. Příliš žluťoučký kůň."),
        ("cp1254", "Türkiye'nin başkenti neresidir? İstanbul değil, Ankara."),
        ("koi8_r", "Какая река самая длинная в России?"),
        ("gb18030", "中国的首都是哪里？北京还是上海？"),
        ("cp1250", "Która rzeka jest najdłuższa w Polsce? Wisła płynie przez Kraków i Toruń."),
        ("cp1251", "Какая река самая длинная в России? Обь, Енисей, Лена или Волга?"),
        ("cp1253", "Ποια είναι η πρωτεύουσα της Ελλάδας; Η Αθήνα ή η Θεσσαλονίκη;"),
        ("shift_jis", "日本の首都はどこですか。東京です。大阪ではありません。"),
    ],
)
def test_csv_in_old_code_pages(encoding: str, text: str) -> None:
    data = csv_text(question_grid({"question": text})).encode(encoding)
    assert questions(data, "a.csv")[0].text == text


def test_csv_with_a_hint_for_excel_and_lines_within_cells() -> None:
    text = "sep=;\r\n" + csv_text(question_grid({"question": "One\ntwo"}, {"type": "no type"}), ";")
    found = rows(text.encode(), "a.csv")
    assert [(row.row, isinstance(row, Good)) for row in found] == [(2, True), (3, False)]


def test_libreoffice_percentages_times_and_errors() -> None:
    cells = "".join(
        f"<table:table-cell {attributes}><text:p>{shown}</text:p></table:table-cell>"
        for attributes, shown in (
            ('office:value-type="string"', "single_choice"),
            ('office:value-type="string"', "How&#10;much?<text:s text:c='2'/>Tell"),
            ('office:value-type="percentage" office:value="0.125"', "13%"),
            ('office:value-type="time" office:time-value="PT25H30M00S"', "25:30:00"),
            ('office:value-type="currency" office:currency="EUR" office:value="3.5"', "3,50 €"),
            ('office:value-type="string" calcext:value-type="error"', "#N/A"),
            ('office:value-type="string"', "A"),
        )
    )
    header = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{name}</text:p></table:table-cell>'
        for name in ("type", "question", "option_a", "option_b", "option_c", "option_d", "correct")
    )
    table = (
        '<table:table-row table:number-rows-repeated="2"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
        f"<table:table-row>{header}</table:table-row><table:table-row>{cells}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048572"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="S">{table}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    found = rows(with_replaced(ods(GRID), "content.xml", content.encode()), "a.ods")
    assert [row.row for row in found] == [4]
    assert found[0].cells[2:6] == ("12.5%", "25:30", "3.5", "#N/A")


def test_excel_percentages_and_errors() -> None:
    grid = question_grid(
        {"option_a": 0.125, "option_b": 0.5, "option_c": ("=NA()", "#N/A"), "option_d": "#N/A"}
    )
    place = grid[0].index("option_a")
    (found,) = rows(xlsx(grid, percent=[(1, place)]), "a.xlsx")
    assert found.cells[place : place + 4] == ("12.5%", "0.5", "#N/A", "#N/A")


def test_excel_with_strings_in_the_cells_and_rich_text() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in question_grid({"question": "  Plain?  ", "option_a": date(2024, 3, 5), "option_b": False}):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    (found,) = questions(buffer.getvalue(), "a.xlsx")
    assert (found.text, [option.text for option in found.options]) == ("Plain?", ["2024-03-05", "FALSE"])


def test_dates_of_the_1904_calendar() -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    for row in question_grid({"option_a": date(2024, 3, 5)}):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    (found,) = questions(buffer.getvalue(), "a.xlsx")
    assert found.options[0].text == "2024-03-05"


def test_the_first_visible_sheet_counts_and_formatted_emptiness_does_not() -> None:
    book = openpyxl.Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.sheet_state = "hidden"
    hidden["A1"] = "metadata"
    sheet = book.create_sheet("Questions")
    for row in question_grid({}):
        sheet.append(row)
    sheet["XFD1048576"].number_format = "0%"
    book.create_sheet("Notes")["A1"] = "not for you"
    buffer = io.BytesIO()
    book.save(buffer)
    assert len(questions(buffer.getvalue(), "a.xlsx")) == 1


def test_rows_are_counted_as_the_spreadsheet_counts_them() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for column, name in enumerate(question_grid()[0], start=3):
        sheet.cell(4, column, name)
    for row in (6, 9):
        for column, value in enumerate(question_row(correct="Z"), start=3):
            sheet.cell(row, column, value)
    sheet.cell(7, 3, "   ")
    buffer = io.BytesIO()
    book.save(buffer)
    assert [row.row for row in rows(buffer.getvalue(), "a.xlsx")] == [6, 9]


def test_students_from_every_format() -> None:
    grid = [
        ["E-Mail", "NAME", "Groups", "note", "password"],
        ["Ada@Example.com", " Ada  Lovelace ", "10a | chess;10a", 5, 1234567890],
    ]
    for filename, write in FORMATS.items():
        (row,) = rows(write(grid), filename, Kind.USERS)
        assert isinstance(row, Good), row
        assert row.item == Student("Ada@Example.com", "Ada Lovelace", ("10a", "chess"), "1234567890")
        assert row.cells == ("Ada@Example.com", " Ada  Lovelace ", "10a | chess;10a", "", "")
    assert set(USER_HEADER) == {"email", "name", "groups", "password"}


def test_xlsx_in_the_words_of_libreoffice() -> None:
    """Formulas marked aca, results typed n, str, b and e; and strings within the cells."""
    header = ("type", "question", "option_a", "option_b", "option_c", "option_d", "correct")
    names = "".join(
        f'<c r="{column}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for column, name in zip("ABCDEFG", header, strict=True)
    )
    cells = (
        '<c r="A2" s="0" t="inlineStr"><is><t>single_choice</t></is></c>'
        '<c r="B2" t="str"><f aca="false">&quot;Which&quot;&amp;&quot;?&quot;</f><v>Which?</v></c>'
        '<c r="C2" t="n"><f aca="false">40+2</f><v>42</v></c>'
        '<c r="D2" t="b"><f aca="false">TRUE()</f><v>1</v></c>'
        '<c r="E2" t="e"><f aca="false">1/0</f><v>#DIV/0!</v></c>'
        '<c r="F2" t="inlineStr"><is><r><t>ri</t></r><r><t xml:space="preserve">ch </t></r></is></c>'
        '<c r="G2" t="b"><v>0</v></c>'
    )
    sheet = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f'<row r="1">{names}</row><row r="2" customFormat="false">{cells}</row></sheetData></worksheet>'
    )
    (found,) = rows(with_replaced(xlsx(GRID), "xl/worksheets/sheet1.xml", sheet.encode()), "a.xlsx")
    assert found.cells == ("single_choice", "Which?", "42", "TRUE", "#DIV/0!", "rich ", "FALSE")
    assert isinstance(found, Bad)
    assert [(fault.column, fault.code) for fault in found.faults] == [
        ("option_c", "cell_error"),
        ("correct", "not_a_letter"),
    ]
