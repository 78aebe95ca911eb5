"""Files that must not be read, or not be read for long."""

import io
import struct
import zipfile

import openpyxl
import pytest
from import_service.domain.columns import Kind
from import_service.domain.refusal import FileRefused
from import_service.parser import archive, reading
from import_service.parser.recognising import OLE_MAGIC, Format, recognise

from .makers import csv_text, many_questions, ods, question_grid, with_member, with_replaced, xls, xlsx
from .reading import failure, rows

GRID = question_grid({})
SHEET = "xl/worksheets/sheet1.xml"


def ole(*streams: str) -> bytes:
    """A compound file with nothing but a directory."""
    entries = b""
    for name in ("Root Entry", *streams):
        encoded = (name + "\0").encode("utf-16-le")
        entries += encoded.ljust(64, b"\0") + struct.pack("<HB", len(encoded), 2) + b"\0" * 61
    return OLE_MAGIC.ljust(512, b"\0") + entries.ljust(1024, b"\0")


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("a.xlsx", b""),
        ("a.xlsx", b"%PDF-1.7 ..."),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
        ("a.csv", b"\x7fELF" + bytes(range(256))),
        ("a.csv", b"type,question\0,correct\n\0\0\0"),
        ("a.txt", b"type,question,correct\n"),
        ("a.xls", b"<html><table><tr><td>type</td></tr></table></html>"),
        ("a.xlsx", b"type\tquestion\tcorrect\n"),
        ("a.docx", with_member(b"", "word/document.xml", b"<w/>")),
        ("a.zip", with_member(b"", "a.txt", b"hello")),
        ("a.xlsb", with_member(b"", "xl/workbook.bin", b"..")),
        ("a.doc", ole("WordDocument")),
        ("questions", b"type,question,correct\n"),
        ("a.xls", xlsx(GRID)),
        ("a.ods", xlsx(GRID)),
        ("a.xlsx", ods(GRID)),
        ("a.csv", xlsx(GRID)),
        ("a.pdf", xlsx(GRID)),
    ],
)
def test_what_is_not_the_workbook_its_name_says_is_unsupported(filename: str, data: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        recognise(filename, data)
    assert refused.value.code == "unsupported"
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("filename", "data", "expected"),
    [
        ("A.XLSX", xlsx(GRID), Format.XLSX),
        ("no-extension", xlsx(GRID), Format.XLSX),
        ("a.xls", xls(GRID), Format.XLS),
        ("a.b.ods", ods(GRID), Format.ODS),
        ("a.csv", csv_text(GRID).encode(), Format.CSV),
        ("a.tsv", csv_text(GRID, "\t").encode("utf-16"), Format.CSV),
        ("a.xlsm", xlsx(GRID), Format.XLSM),
    ],
)
def test_workbooks_are_recognised_by_their_content(filename: str, data: bytes, expected: Format) -> None:
    assert recognise(filename, data) is expected


def test_macros_are_refused() -> None:
    good = xlsx(GRID)
    types = zipfile.ZipFile(io.BytesIO(good)).read("[Content_Types].xml")
    enabled = types.replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    assert enabled != types
    for filename, data in (
        ("a.xlsm", good),
        ("a.xlsx", with_member(good, "xl/vbaProject.bin", b"...")),
        ("a.xlsx", with_replaced(good, "[Content_Types].xml", enabled)),
        ("a.xlsx", with_member(good, "xl/macrosheets/sheet1.xml", b"<x/>")),
        ("a.ods", with_member(ods(GRID), "Basic/Standard/Module1.xml", b"<x/>")),
        ("a.xls", ole("Workbook", "_VBA_PROJECT_CUR")),
    ):
        assert failure(data, filename).code == "macros", filename


def test_workbooks_with_a_password_are_refused() -> None:
    assert failure(ole("EncryptedPackage", "EncryptionInfo"), "a.xlsx").code == "encrypted"
    data = bytearray(xlsx(GRID))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + flags] |= 1
    assert failure(bytes(data), "a.xlsx").code == "encrypted"
    manifest = (
        b'<?xml version="1.0"?><manifest:manifest '
        b'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        b'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">'
        b'<manifest:encryption-data manifest:checksum="x"/></manifest:file-entry></manifest:manifest>'
    )
    assert failure(with_replaced(ods(GRID), "META-INF/manifest.xml", manifest), "a.ods").code == "encrypted"


def test_zip_bombs_are_refused() -> None:
    good = xlsx(GRID)
    assert failure(with_member(good, "xl/media/a.bin", b"\0" * 60_000_000), "a.xlsx").code == "zip_bomb"
    assert failure(with_replaced(good, SHEET, b" " * 60_000_000), "a.xlsx").code == "zip_bomb"
    assert failure(with_member(ods(GRID), "a.bin", b"\0" * 60_000_000), "a.ods").code == "zip_bomb"


def test_a_zip_that_lies_about_its_sizes_is_unpacked_and_counted() -> None:
    data = bytearray(with_member(xlsx(GRID), "xl/media/a.bin", b"\0" * 60_000_000))
    claimed = struct.pack("<I", 60_000_000)
    assert data.count(claimed) == 2
    liar = bytes(data).replace(claimed, struct.pack("<I", 1000))
    assert failure(liar, "a.xlsx").code == "zip_bomb"
    small = with_member(xlsx(GRID), "xl/media/a.bin", b"ab" * 50_000)
    liar = small.replace(struct.pack("<I", 100_000), struct.pack("<I", 1000))
    assert failure(liar, "a.xlsx").code == "damaged"


def test_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 10)
    assert failure(with_member(xlsx(GRID), "xl/media/a.bin", b""), "a.xlsx").code == "too_complex"


def test_entities_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    for filename, good, part in (("a.xlsx", xlsx(GRID), SHEET), ("a.ods", ods(GRID), "content.xml")):
        original = zipfile.ZipFile(io.BytesIO(good)).read(part).partition(b"?>")[2]
        bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>'.encode() + original
        assert failure(with_replaced(good, part, bomb), filename).code == "damaged"


def test_damaged_files_are_refused() -> None:
    for filename, good in (("a.xlsx", xlsx(GRID)), ("a.ods", ods(GRID))):
        assert failure(good[: len(good) // 2], filename).code == "damaged", filename
    old = xls(GRID)
    assert failure(old[:512] + b"\xff" * 512 + old[1024:], "a.xls").code == "damaged"
    assert (
        failure(with_replaced(xlsx(GRID), SHEET, b"<worksheet><sheetData><row"), "a.xlsx").code == "damaged"
    )
    unclosed = csv_text(GRID) + '"' + "x" * 1_100_000
    assert failure(unclosed.encode(), "a.csv").code == "damaged"


def test_too_many_rows_columns_and_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 20)
    assert len(rows(xlsx(many_questions(20)), "a.xlsx")) == 20
    assert failure(xlsx(many_questions(21)), "a.xlsx").code == "too_many_rows"
    assert failure(csv_text(many_questions(21)).encode(), "a.csv").code == "too_many_rows"
    wide = [[*GRID[0], *[f"c{n}" for n in range(300)]], GRID[1]]
    assert failure(xlsx(wide), "a.xlsx").code == "too_many_columns"
    assert failure(csv_text(wide).encode(), "a.csv").code == "too_many_columns"
    book = openpyxl.Workbook()
    for n in range(101):
        book.create_sheet(f"s{n}")
    buffer = io.BytesIO()
    book.save(buffer)
    assert failure(buffer.getvalue(), "a.xlsx").code == "too_many_sheets"


def test_headers_that_do_not_do() -> None:
    missing = failure(csv_text([["question", "answer"], ["a", "b"]]).encode(), "a.csv")
    assert missing.code == "missing_columns"
    assert "type, correct" in missing.detail
    twice = failure(
        csv_text([["type", "question", "correct", "Option A", "option_a"], ["x"]]).encode(), "a.csv"
    )
    assert twice.code == "duplicate_columns"
    assert "option_a" in twice.detail
    users = failure(csv_text([["e-mail"], ["a@b.cd"]]).encode(), "a.csv", Kind.USERS)
    assert "name" in users.detail


@pytest.mark.parametrize("grid", [[], [[""]], [list(GRID[0])], [list(GRID[0]), ["", " "]]])
def test_workbooks_without_rows(grid: list[list[str]]) -> None:
    assert failure(xlsx(grid), "a.xlsx").code == "no_rows"
