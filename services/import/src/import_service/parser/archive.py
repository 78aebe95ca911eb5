"""Before a zipped workbook is read: is it what it says, does it unpack to a sane size, does it hold macros?

The sizes in a zip's directory are claims, so every member is unpacked once and counted.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from import_service.domain.refusal import (
    DAMAGED,
    ENCRYPTED,
    MACROS,
    TOO_COMPLEX,
    ZIP_BOMB,
    FileRefused,
)
from import_service.parser.recognising import Format, is_encrypted_ooxml

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_RATIO = 200
RATIO_FREE_BYTES = 8 * 1024 * 1024
"""Small files may compress as well as they like."""
_ODS_MANIFEST = "META-INF/manifest.xml"
_CHUNK = 1024 * 1024
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_ENCRYPTED_FLAG = 0x1

_BOMB = "The file unpacks to far more than a workbook holds. Copy its rows into a new workbook."
_DAMAGED = "The file is damaged: open it in a spreadsheet program and save it anew."
MACROS_DETAIL = "The workbook holds macros: save it as .xlsx without them."
ENCRYPTED_DETAIL = "The workbook is protected by a password: save it without one."


def check_archive(data: bytes, kind: Format) -> zipfile.ZipFile:
    """The archive of an .xlsx or .ods that is safe to read. Raises FileRefused."""
    if kind is Format.XLSM:
        raise FileRefused(MACROS, MACROS_DETAIL)
    if is_encrypted_ooxml(data):
        raise FileRefused(ENCRYPTED, ENCRYPTED_DETAIL)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise FileRefused(DAMAGED, _DAMAGED) from None
    members = archive.infolist()
    _check_directory(members, len(data))
    _check_macros(members)
    _check_content(archive, members, data)
    return archive


def _check_directory(members: list[zipfile.ZipInfo], packed: int) -> None:
    if len(members) > MAX_MEMBERS:
        raise FileRefused(
            TOO_COMPLEX, "The workbook consists of too many parts: copy its rows into a new one."
        )
    if len({member.filename for member in members}) != len(members):
        raise FileRefused(DAMAGED, _DAMAGED)
    if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
        raise FileRefused(ENCRYPTED, ENCRYPTED_DETAIL)
    _check_size(sum(member.file_size for member in members), packed)


def _check_size(unpacked: int, packed: int) -> None:
    allowed = max(RATIO_FREE_BYTES, packed * MAX_RATIO)
    if unpacked > min(allowed, MAX_UNPACKED_BYTES):
        raise FileRefused(ZIP_BOMB, _BOMB)


def _check_macros(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        name = member.filename.casefold()
        is_module = name.startswith(("basic/", "scripts/")) and not name.endswith(
            ("/", "script-lc.xml", "script-lb.xml")
        )
        if name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") or is_module:
            raise FileRefused(MACROS, MACROS_DETAIL)


def _check_content(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], data: bytes) -> None:
    unpacked = 0
    for member in members:
        size = checksum = 0
        for chunk in _unpacked(member, data):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            _check_size(unpacked + size, len(data))
            if b"<!ENTITY" in chunk:
                raise FileRefused(
                    DAMAGED, "The workbook defines XML entities, which no spreadsheet program does."
                )
        if (size, checksum) != (member.file_size, member.CRC):
            raise FileRefused(DAMAGED, _DAMAGED)
        unpacked += size
    if any(b"encryption-data" in archive.read(one) for one in members if one.filename == _ODS_MANIFEST):
        raise FileRefused(ENCRYPTED, ENCRYPTED_DETAIL)
    types = next((member for member in members if member.filename == "[Content_Types].xml"), None)
    if types is not None and b"macroenabled" in archive.read(types).lower():
        raise FileRefused(MACROS, MACROS_DETAIL)


def _unpacked(member: zipfile.ZipInfo, data: bytes) -> Iterator[bytes]:
    """The member's bytes as any reader would unpack them, whatever the directory claims of their number."""
    start = member.header_offset
    if start + _LOCAL_HEADER.size > len(data):
        raise FileRefused(DAMAGED, _DAMAGED)
    header = _LOCAL_HEADER.unpack_from(data, start)
    start += _LOCAL_HEADER.size + header[9] + header[10]
    packed = memoryview(data)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        yield bytes(packed)
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        yield from _inflated(packed)
    else:
        raise FileRefused(DAMAGED, _DAMAGED)


def _inflated(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting: bytes | memoryview = packed
    try:
        while not inflater.eof and (chunk := inflater.decompress(waiting, _CHUNK)):
            yield chunk
            waiting = inflater.unconsumed_tail
    except zlib.error:
        raise FileRefused(DAMAGED, _DAMAGED) from None
