"""The rows of a .csv: its encoding and its delimiter are found out."""

import codecs
import csv
import io
from collections.abc import Iterator

from import_service.domain.cells import ERROR_TEXTS, BrokenCell, error_text
from import_service.domain.columns import COLUMNS, Kind, folded
from import_service.domain.refusal import DAMAGED, FileRefused
from import_service.domain.rows import SheetRow
from import_service.parser.code_pages import code_page_of
from import_service.parser.recognising import utf16_without_mark

MAX_CELL_CHARACTERS = 1_000_000
DELIMITERS = ",;\t|"
_SAMPLE_BYTES = 256 * 1024
_HEADER_CHARACTERS = 64 * 1024
_MARKS = (
    # UTF-32 first: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_csv(data: bytes, kind: Kind) -> Iterator[SheetRow]:
    """The rows with their numbers as a spreadsheet would count them. Raises FileRefused `damaged`."""
    # Decoded piece by piece: as one text a large file would take four times its size.
    text = io.TextIOWrapper(io.BytesIO(data), encoding_of(data), "replace", newline="")
    beginning = text.read(_HEADER_CHARACTERS)
    first = beginning.partition("\n")[0].rstrip("\r")
    text.seek(0)
    delimiter = find_delimiter(beginning, kind)
    if first.casefold().startswith("sep=") and len(first) == 5:
        # A hint for Excel, which does not count it as a row.
        delimiter = first[4]
        text.readline()
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        for number, cells in enumerate(csv.reader(text, delimiter=delimiter), start=1):
            yield SheetRow(number, cells, _errors(cells))
    except csv.Error:
        message = (
            "The file can't be divided into cells: is a quotation mark missing? Save it as .xlsx instead."
        )
        raise FileRefused(DAMAGED, message) from None


def _errors(cells: list[str]) -> dict[int, BrokenCell]:
    return {place: error_text(cell) for place, cell in enumerate(cells) if cell in ERROR_TEXTS}


def encoding_of(data: bytes) -> str:
    """The encoding of a file in UTF-8, UTF-16, UTF-32 or one of the old code pages."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    unmarked = utf16_without_mark(data[:_SAMPLE_BYTES])
    if unmarked is not None:
        return unmarked
    return "utf-8" if _is_utf8(data) else _code_page(data)


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _SAMPLE_BYTES):
            decoder.decode(data[start : start + _SAMPLE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def find_delimiter(text: str, kind: Kind) -> str:
    """The delimiter under which the first line that isn't empty names the most columns of ours."""
    known = {folded(name) for name in COLUMNS[kind]}
    line = next((line for line in text.splitlines() if line.strip(" ,;\t|")), "")

    def columns(delimiter: str) -> int:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        return len({folded(cell) for cell in cells} & known)

    return max(DELIMITERS, key=columns)


def _code_page(data: bytes) -> str:
    # Only the lines that tell code pages apart, so that a rare letter at the end of a long file counts.
    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
    return code_page_of(telling)
