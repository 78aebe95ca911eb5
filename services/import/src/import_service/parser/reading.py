"""A workbook's bytes into frames: the header, each row judged, and the end or a failure."""

import zipfile
from collections.abc import Iterator

from python_calamine import CalamineError

from import_service.domain.columns import Kind, Layout, read_header
from import_service.domain.refusal import (
    DAMAGED,
    NO_ROWS,
    TOO_COMPLEX,
    TOO_COMPLEX_DETAIL,
    TOO_MANY_COLUMNS,
    TOO_MANY_ROWS,
    FileRefused,
    storable,
)
from import_service.domain.rows import Judge, SheetRow
from import_service.parser.csv_text import read_csv
from import_service.parser.frames import Bad, End, Failure, Frame, Good, Header, WireFault
from import_service.parser.recognising import Format
from import_service.parser.spreadsheets import MAX_COLUMNS, read_spreadsheet

MAX_ROWS = 50_000


def read_workbook(data: bytes, file_format: Format, kind: Kind) -> Iterator[Frame]:
    """The frames of a workbook; the last is an End, or a Failure that says what is wrong with the file."""
    try:
        rows = read_csv(data, kind) if file_format is Format.CSV else read_spreadsheet(data, file_format)
        yield from _frames(kind, rows)
    except FileRefused as refused:
        yield Failure(refused.code, refused.detail)
    except MemoryError:
        yield Failure(TOO_COMPLEX, TOO_COMPLEX_DETAIL)
    except (CalamineError, zipfile.BadZipFile):
        yield Failure(
            DAMAGED, "The workbook can't be read: open it in a spreadsheet program and save it anew."
        )


def _frames(kind: Kind, rows: Iterator[SheetRow]) -> Iterator[Frame]:
    layout: Layout | None = None
    judge: Judge | None = None
    count = 0
    for row in rows:
        if not any(cell and not cell.isspace() for cell in row.cells):
            continue
        if layout is None or judge is None:
            layout = _layout(kind, row.cells)
            judge = Judge(layout)
            yield Header(tuple(map(storable, layout.header)))
            continue
        count += 1
        if count > MAX_ROWS:
            message = f"The workbook has more than {MAX_ROWS} rows: divide it into several files."
            raise FileRefused(TOO_MANY_ROWS, message)
        yield _judged(judge, layout, row)
    if layout is None:
        raise FileRefused(NO_ROWS, "The first sheet is empty: put the header into its first row.")
    if count == 0:
        raise FileRefused(NO_ROWS, "There is no row below the header.")
    yield End(count)


def _layout(kind: Kind, cells: list[str]) -> Layout:
    if len(cells) > MAX_COLUMNS:
        raise FileRefused(
            TOO_MANY_COLUMNS, f"The header has more than {MAX_COLUMNS} columns: delete the rest."
        )
    return read_header(kind, cells)


def _judged(judge: Judge, layout: Layout, row: SheetRow) -> Good | Bad:
    kept = tuple(map(storable, layout.without_secrets(row.cells)))
    read = judge.read(row)
    if isinstance(read, list):
        return Bad(row.number, tuple(WireFault(*map(storable, fault)) for fault in read), kept)
    return Good(row.number, read, kept)
