"""The parser's own process: what it may not do, and what is heard of it when it does."""

import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from import_service.domain.columns import Kind
from import_service.domain.refusal import FileRefused
from import_service.parser.frames import Bad
from import_service.parser.limits import Limits
from import_service.parser.process import ParsedFile, parsed
from import_service.parser.recognising import Format

from .makers import csv_text, many_questions, ods, question_grid, with_replaced, xlsx

REPEATED_ROWS = (
    '<?xml version="1.0"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="S"><table:table-row table:number-rows-repeated="90000">'
    '<table:table-cell office:value-type="string" table:number-columns-repeated="1000">'
    f"<text:p>{'x' * 1000}</text:p></table:table-cell></table:table-row></table:table>"
    "</office:spreadsheet></office:body></office:document-content>"
)


@asynccontextmanager
async def read(data: bytes, file_format: Format, limits: Limits) -> AsyncIterator[ParsedFile]:
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.flush()
        async with parsed(source, file_format, Kind.QUESTIONS, limits) as workbook:
            yield workbook


async def refusal(data: bytes, file_format: Format, limits: Limits) -> str:
    with pytest.raises(FileRefused) as refused:
        async with read(data, file_format, limits):
            pass
    return refused.value.code


async def test_rows_come_in_portions_again_and_again() -> None:
    async with read(xlsx(many_questions(25, bad=(3,))), Format.XLSX, Limits()) as workbook:
        assert workbook.total_rows == 25
        assert workbook.header[:3] == ("external_id", "type", "question")
        for _ in range(2):
            portions = [portion async for portion in workbook.portions(10)]
            assert [len(portion) for portion in portions] == [10, 10, 5]
            assert [row.row for portion in portions for row in portion if isinstance(row, Bad)] == [5]


async def test_a_workbook_that_needs_too_much_memory_ends_the_parser_alone() -> None:
    bomb = with_replaced(ods(question_grid({})), "content.xml", REPEATED_ROWS.encode())
    assert await refusal(bomb, Format.ODS, Limits(memory_bytes=256 * 1024 * 1024)) == "too_complex"


async def test_a_workbook_that_takes_too_long_is_given_up() -> None:
    data = csv_text(many_questions(1)).encode() + b"\n" * 20_000_000
    assert await refusal(data, Format.CSV, Limits(cpu_seconds=1, wall_seconds=1)) == "too_complex"


async def test_output_beyond_its_limit_is_refused() -> None:
    data = csv_text(many_questions(5_000)).encode()
    assert await refusal(data, Format.CSV, Limits(output_bytes=100_000)) == "too_complex"


async def test_the_parser_sees_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Both would be imported, and would end the parser, if the environment or the folder reached it.
    (tmp_path / "csv.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    async with read(csv_text(question_grid({})).encode(), Format.CSV, Limits()) as workbook:
        assert workbook.total_rows == 1


async def test_a_failure_of_the_file_is_passed_on() -> None:
    assert await refusal(b"nothing", Format.CSV, Limits()) == "missing_columns"
    assert await refusal(io.BytesIO(xlsx([[]])).getvalue(), Format.XLSX, Limits()) == "no_rows"
