"""What a file is, by its content; its name must agree. Cheap enough to be done while the upload waits."""

import codecs
from enum import StrEnum
from pathlib import PurePosixPath

from import_service.domain.refusal import UNSUPPORTED, FileRefused

MAX_FILE_BYTES = 20 * 1024 * 1024
ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_BINARY_MAGICS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x7fELF",
    b"MZ",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc",
)
_SAMPLE_BYTES = 64 * 1024


class Format(StrEnum):
    """The formats that are read; `xlsm` only to be refused with its own reason."""

    XLSX = "xlsx"
    XLSM = "xlsm"
    XLS = "xls"
    ODS = "ods"
    CSV = "csv"


_BY_EXTENSION = {
    ".xlsx": Format.XLSX,
    ".xlsm": Format.XLSM,
    ".xls": Format.XLS,
    ".ods": Format.ODS,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
}


def recognise(filename: str, data: bytes) -> Format:
    """The format of an uploaded file. Raises FileRefused `unsupported`."""
    extension = PurePosixPath(filename.replace("\\", "/")).suffix.casefold()
    named = _BY_EXTENSION.get(extension)
    if not data:
        raise FileRefused(UNSUPPORTED, "The file is empty.")
    found = _by_content(data)
    if found is None:
        if named is Format.CSV and _is_text(data):
            return Format.CSV
        raise FileRefused(UNSUPPORTED, _not_a_workbook(named, data))
    if named is None and not extension:
        return found
    if named is Format.XLSM and found is Format.XLSX:
        return Format.XLSM
    if named is Format.XLSX and is_encrypted_ooxml(data):
        return Format.XLSX  # Excel keeps a workbook with a password in another kind of container
    if named is not found:
        message = f"The name ends in {extension or 'nothing'}, but the file is .{found}: name it .{found}."
        raise FileRefused(UNSUPPORTED, message)
    return found


def is_encrypted_ooxml(data: bytes) -> bool:
    """Whether this is the container in which Excel keeps an .xlsx with a password."""
    return data.startswith(OLE_MAGIC) and _has_stream(data, "EncryptedPackage")


def has_vba_storage(data: bytes) -> bool:
    """Whether an .xls holds macros."""
    return _has_stream(data, "_VBA_PROJECT_CUR") or _has_stream(data, "_VBA_PROJECT")


def _by_content(data: bytes) -> Format | None:
    if data.startswith(OLE_MAGIC):
        is_workbook = _has_stream(data, "Workbook") or _has_stream(data, "Book") or is_encrypted_ooxml(data)
        return Format.XLS if is_workbook else None
    if not data.startswith(ZIP_MAGIC):
        return None
    if b"xl/workbook.xml" in data:
        return Format.XLSX
    return Format.ODS if _ODS_TYPE in data[:4096] else None


def _has_stream(data: bytes, name: str) -> bool:
    """Whether the directory of a compound file has an entry of this name: 128 bytes each, aligned."""
    encoded = (name + "\0").encode("utf-16-le")
    place = data.find(encoded, 512)
    while place != -1:
        if place % 128 == 0 and data[place + 64 : place + 66] == len(encoded).to_bytes(2, "little"):
            return True
        place = data.find(encoded, place + 1)
    return False


def _is_text(data: bytes) -> bool:
    if data.startswith((ZIP_MAGIC, OLE_MAGIC, *_BINARY_MAGICS)):
        return False
    sample = data[:_SAMPLE_BYTES]
    if sample.startswith(_BOMS) or _looks_like_utf16(sample):
        return True
    # Tab, line ends, form feed and the end mark of old systems are text; the rest of the controls are not.
    controls = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1a" for byte in sample)
    return b"\0" not in data and controls * 100 <= len(sample)


def _looks_like_utf16(sample: bytes) -> bool:
    return utf16_without_mark(sample) is not None


def utf16_without_mark(sample: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` for text in it without a byte order mark: every other byte is mostly 0."""
    half = len(sample) // 2
    if half == 0:
        return None
    low, high = sample[0 : 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    if high > half * 0.4 and low < half * 0.05:
        return "utf-16-le"
    if low > half * 0.4 and high < half * 0.05:
        return "utf-16-be"
    return None


def _not_a_workbook(named: Format | None, data: bytes) -> str:
    if data.startswith(ZIP_MAGIC) and b"xl/workbook.bin" in data:
        return "Binary workbooks (.xlsb) are not read: save it as .xlsx."
    if named in {Format.XLS, Format.XLSX} and data[:1024].lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        return "The file is a web page under a workbook's name: open it and save it as .xlsx."
    if named not in {None, Format.CSV} and _is_text(data):
        return "The file holds plain text under a workbook's name: name it .csv, or save it as .xlsx."
    return "The file is not a workbook: upload .xlsx, .xls, .ods or .csv."
