"""What the parser's process tells: a stream of msgpack frames, each with its length before it."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from import_service.domain.rows import Item

_LENGTH = struct.Struct(">I")


class Header(msgspec.Struct, frozen=True, tag="header"):
    """The header row as typed; it comes first."""

    cells: tuple[str, ...]


class Good(msgspec.Struct, frozen=True, tag="good"):
    """A row that can be put. `cells`: as typed, without secrets, for the case that it is refused later."""

    row: int
    item: Item
    cells: tuple[str, ...]


class WireFault(msgspec.Struct, frozen=True, array_like=True):
    column: str
    code: str
    message: str


class Bad(msgspec.Struct, frozen=True, tag="bad"):
    """A row that can't."""

    row: int
    faults: tuple[WireFault, ...]
    cells: tuple[str, ...]


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """The whole file is refused; nothing that came before counts."""

    code: str
    detail: str


class End(msgspec.Struct, frozen=True, tag="end"):
    """The last frame of a file that was read to its end."""

    rows: int


Frame = Header | Good | Bad | Failure | End
_DECODER = msgspec.msgpack.Decoder(Frame)


class FrameWriter:
    """Writes frames to a binary file."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._encode = msgspec.msgpack.Encoder().encode

    def write(self, frame: Frame) -> None:
        encoded = self._encode(frame)
        self._out.write(_LENGTH.pack(len(encoded)) + encoded)


def read_frames(source: BinaryIO) -> Iterator[Frame]:
    """The frames of a stream. Raises EOFError where it was cut off."""
    while prefix := source.read(_LENGTH.size):
        if len(prefix) < _LENGTH.size:
            raise EOFError
        (length,) = _LENGTH.unpack(prefix)
        encoded = source.read(length)
        if len(encoded) < length:
            raise EOFError
        yield _DECODER.decode(encoded)
