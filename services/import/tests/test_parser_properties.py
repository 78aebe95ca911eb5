"""Any text in any cell, any bytes in any file: the parser answers, and what was written comes back."""

import contextlib
import io
import tempfile
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_service.domain.columns import COLUMNS, OPTION_LETTERS, Kind
from import_service.domain.question import ChoiceKey, Question
from import_service.domain.refusal import FileRefused
from import_service.parser.code_pages import code_page_of
from import_service.parser.csv_text import encoding_of
from import_service.parser.frames import Bad, End, Failure, FrameWriter, Good, Header, read_frames
from import_service.parser.limits import Limits
from import_service.parser.process import parsed
from import_service.parser.reading import read_workbook
from import_service.parser.recognising import Format, recognise
from import_service.parser.xls_notes import xls_notes

from .makers import csv_text, ods, question_grid, xls, xlsx
from .reading import rows

QUIET = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
# What a person can type into a cell; a program would strip or escape the rest.
TYPED = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="\ufeff\ufffe\uffff"),
    max_size=40,
)
ANY_CELL = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(min_value=date(1901, 1, 1)),
    st.sampled_from(["single_choice", "numeric", "A", "A,B", "true", "=1+1", "1,5", "#N/A", ""]),
)
GRIDS = st.lists(st.lists(ANY_CELL, min_size=3, max_size=17), min_size=1, max_size=6)


@st.composite
def sound_questions(draw: st.DrawFn) -> dict[str, Any]:
    options = draw(st.lists(TYPED.filter(str.strip), min_size=2, max_size=8, unique_by=str.strip))
    letter = draw(st.sampled_from(OPTION_LETTERS[: len(options)]))
    row = {f"option_{OPTION_LETTERS[place].lower()}": option for place, option in enumerate(options)}
    return row | {"question": draw(TYPED.filter(str.strip)), "correct": letter, "explanation": draw(TYPED)}


@QUIET
@given(st.lists(sound_questions(), min_size=1, max_size=4), st.sampled_from(["xlsx", "ods", "xls", "csv"]))
def test_what_was_typed_comes_back(typed: list[dict[str, Any]], extension: str) -> None:
    grid = question_grid(*typed)
    writers = {"xlsx": xlsx, "ods": ods, "xls": xls, "csv": lambda g: csv_text(g).encode()}
    found = rows(writers[extension](grid), f"a.{extension}")
    assert len(found) == len(typed)
    for given_row, row in zip(typed, found, strict=True):
        assert isinstance(row, Good), row
        assert isinstance(row.item, Question)
        # OpenDocument folds spaces at the borders of text, as its own programs do when they write it.
        same = (lambda text: " ".join(text.split())) if extension == "ods" else str.strip
        assert same(row.item.text) == same(given_row["question"])
        assert [same(option.text) for option in row.item.options] == [
            same(text) for name, text in given_row.items() if name.startswith("option_")
        ]
        assert row.item.key == ChoiceKey((given_row["correct"],))
        assert same(row.item.explanation) == same(given_row["explanation"])


@QUIET
@given(GRIDS, st.sampled_from(list(Kind)))
def test_any_cell_is_judged_and_told(grid: list[list[Any]], kind: Kind) -> None:
    header = list(COLUMNS[kind])
    table = [header, *grid]
    for data, file_format in ((csv_text(table).encode(), Format.CSV), (xlsx(table), Format.XLSX)):
        found = list(read_workbook(data, file_format, kind))
        buffer = io.BytesIO()
        writer = FrameWriter(buffer)
        for frame in found:
            writer.write(frame)
        buffer.seek(0)
        assert list(read_frames(buffer)) == found
        assert isinstance(found[-1], End | Failure)
        if isinstance(found[-1], End):
            assert isinstance(found[0], Header)
            judged = [frame for frame in found if isinstance(frame, Good | Bad)]
            assert len(judged) == found[-1].rows
            assert all(frame.faults for frame in judged if isinstance(frame, Bad))
            assert all(len(frame.cells) <= len(found[0].cells) for frame in judged)


@QUIET
@given(st.binary(max_size=2000), st.sampled_from(["a.csv", "a.xlsx", "a.xls", "a.ods", "a"]))
def test_any_bytes_are_answered(data: bytes, filename: str) -> None:
    try:
        file_format = recognise(filename, data)
    except FileRefused:
        return
    found = list(read_workbook(data, file_format, Kind.QUESTIONS))
    assert isinstance(found[-1], End | Failure)


WORKBOOKS = {
    Format.XLSX: xlsx(question_grid({}, {"option_a": 0.5}), percent=[(2, 3)]),
    Format.ODS: ods(question_grid({}, {})),
    Format.XLS: xls(question_grid({}, {})),
}

CHANGES = st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8)


@settings(QUIET, max_examples=40)
@given(st.sampled_from(sorted(WORKBOOKS)), CHANGES)
async def test_a_workbook_with_wrong_bytes_is_read_or_refused(
    file_format: Format, changes: list[tuple[float, int]]
) -> None:
    """In its own process: calamine may panic over what is broken, or ask for terabytes."""
    data = bytearray(WORKBOOKS[file_format])
    for place, value in changes:
        data[int(place * len(data))] = value
    with tempfile.TemporaryFile() as source:
        source.write(data)
        source.flush()
        with contextlib.suppress(FileRefused):
            async with parsed(source, file_format, Kind.QUESTIONS, Limits()) as workbook:
                assert workbook.total_rows > 0


@QUIET
@given(CHANGES, st.floats(0, 1))
def test_the_records_of_an_xls_are_read_or_refused(changes: list[tuple[float, int]], kept: float) -> None:
    data = bytearray(WORKBOOKS[Format.XLS])
    for place, value in changes:
        data[int(place * len(data))] = value
    for part in (data, data[: int(kept * len(data))]):
        with contextlib.suppress(FileRefused):
            xls_notes(bytes(part), 0)


@QUIET
@given(TYPED)
def test_unicode_is_never_taken_for_a_code_page(text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        data = text.encode(encoding)
        assert data.decode(encoding_of(data)) == text


@QUIET
@given(st.binary(max_size=200))
def test_every_text_has_some_code_page(data: bytes) -> None:
    data.decode(code_page_of(data), "replace")
