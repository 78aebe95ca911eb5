"""Drawing a picture anew: upright, not too large, and nothing but its pixels."""

import re
import struct
from io import BytesIO
from typing import cast

from PIL import Image, ImageOps, UnidentifiedImageError

from exam_service.pictures.limits import MAX_PIXELS, MAX_SCANS, MAX_SIDE, MEDIA_TYPES

# By content. No SVG, which is a program; nothing that a browser does not show.
_READ = ("JPEG", "PNG", "WEBP", "GIF")
# Of films the first picture; phones add small ones to their photos.
_WRITTEN = {"GIF": "PNG", "MPO": "JPEG"}
_JPEG = {"JPEG", "MPO"}
# Markers of JPEG that the decoder acts on; the others stand alone, in the midst of what is compressed.
_SEGMENT = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
_END, _SCAN = 0xD9, 0xDA
_OPTIONS = {"JPEG": {"quality": 85}, "PNG": {}, "WEBP": {"quality": 85}}


class NoPictureError(Exception):
    """Not of a kind that is read."""


class TooManyPixelsError(Exception):
    """Larger than is read at all."""


class TooManyScansError(Exception):
    """A JPEG that goes over its pixels more often than any camera's."""


class BrokenPictureError(Exception):
    """It begins as a picture, and is none."""


def draw(data: bytes) -> tuple[str, bytes]:
    """The media type and the bytes. Raises the errors above."""
    # Looked at below, before a single pixel is read.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(BytesIO(data), formats=_READ) as image:
            if image.width * image.height > MAX_PIXELS:
                raise TooManyPixelsError
            if image.format in _JPEG and _scans(data) > MAX_SCANS:
                raise TooManyScansError
            kind = _WRITTEN.get(image.format or "", image.format or "")
            # Made smaller first: turning it takes as much memory again.
            image.thumbnail((MAX_SIDE, MAX_SIDE))
            pixels = _pixels(ImageOps.exif_transpose(image), kind)
    except UnidentifiedImageError:
        raise NoPictureError from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error):
        # What Pillow's readers say of broken files.
        raise BrokenPictureError from None
    out = BytesIO()
    pixels.save(out, kind, **_OPTIONS[kind])
    return MEDIA_TYPES[kind], out.getvalue()


def _scans(data: bytes) -> int:
    """Those of a JPEG up to its end. What segments hold is passed over: comments, small pictures."""
    at, found = 2, 0
    while marker := _SEGMENT.search(data, at):
        at = marker.end()
        kind = data[at - 1]
        if kind == _END:
            break
        found += kind == _SCAN
        at += int.from_bytes(data[at : at + 2])
    return found


def _pixels(image: Image.Image, kind: str) -> Image.Image:
    """Without place, time, comments and thumbnails, which Pillow would carry over from `info`."""
    see_through = kind != "JPEG" and image.has_transparency_data
    pixels = image.convert("RGBA" if see_through else "RGB")
    pixels.info = cast("dict[str | tuple[int, int], object]", {})
    return pixels
