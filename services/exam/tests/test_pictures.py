"""Pictures are drawn anew, in a process of their own: what comes in, what goes out, what is refused."""

import asyncio
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from exam_service.pictures import process
from exam_service.pictures.limits import MAX_BYTES, MAX_SIDE, Limits
from exam_service.pictures.process import Picture, Studio
from examkit.errors import AppError
from PIL import Image, PngImagePlugin

SECRET = b"49.4521 N, 11.0767 E"


def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    made = Image.new("RGB", size, "red")
    made.paste("blue", (0, 0, size[0] // 2, size[1] // 2))
    out = BytesIO()
    made.convert(mode).save(out, kind, **options)
    return out.getvalue()


def opened(found: Picture) -> Image.Image:
    return Image.open(BytesIO(found.data))


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it is so large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/png")],
)
async def test_pictures_are_drawn_anew(kind: str, media_type: str) -> None:
    sent = picture(kind)
    found = await Studio().draw(sent)
    assert found.media_type == media_type
    assert opened(found).size == (60, 40)
    assert opened(found).convert("RGB").getpixel((5, 5))[2] > 200  # type: ignore[index]


async def test_a_photo_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    found = await Studio().draw(picture("JPEG", (60, 40), exif=exif))
    assert opened(found).size == (40, 60)


async def test_nothing_but_the_pixels_is_kept() -> None:
    """Phones write into a photo where and when it was taken."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    sent = [
        picture("JPEG", exif=exif, comment=SECRET),
        picture("PNG", exif=exif, pnginfo=text),
        picture("WEBP", exif=exif, xmp=SECRET),
        picture("GIF", comment=SECRET),
        picture("JPEG") + SECRET,
    ]
    for data in sent:
        assert SECRET in data
        found = await Studio().draw(data)
        assert SECRET not in found.data
        assert not opened(found).getexif()


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "L"), ("JPEG", "CMYK"), ("PNG", "P")])
async def test_every_way_to_write_colours_is_read(kind: str, mode: str) -> None:
    found = await Studio().draw(picture(kind, mode=mode))
    assert opened(found).mode in {"RGB", "RGBA"}


async def test_large_pictures_are_made_smaller() -> None:
    found = await Studio().draw(picture("JPEG", (MAX_SIDE + 1000, 100)))
    assert opened(found).width == MAX_SIDE


def scans(count: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """A progressive JPEG that repeats its last scan so often."""
    plain = picture("JPEG", progressive=True)
    last = plain.rindex(b"\xff\xda")
    return plain[:2] + before + plain[2:last] + plain[last:-2] * count + plain[-2:] + after


@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "unsupported", "JPEG"),
        (b"<html>", "unsupported", "JPEG"),
        (b"", "unsupported", "JPEG"),
        (picture("BMP"), "unsupported", "JPEG"),
        (picture("TIFF"), "unsupported", "JPEG"),
        (picture("PNG")[:-40], "invalid", "damaged"),
        (picture("JPEG", (600, 400))[:900], "invalid", "damaged"),
        (scans(2_000), "invalid", "too many scans"),
        (bomb(30_000), "invalid", "50 million pixels"),
        (bomb(6_000), "invalid", "damaged"),
        (b"\xff" * (MAX_BYTES + 1), "too_large", "10 MB"),
    ],
)
async def test_what_is_no_picture_is_refused(sent: bytes, code: str, says: str) -> None:
    with pytest.raises(AppError) as refused:
        await Studio().draw(sent)
    assert refused.value.code == code
    assert says in refused.value.detail


async def test_what_looks_like_a_scan_and_is_none_counts_for_nothing() -> None:
    """In a comment, and in the film that phones write behind a photo."""
    marks = b"\xff\xda" * 200
    comment = b"\xff\xfe" + struct.pack(">H", len(marks) + 2) + marks
    for sent in (scans(1, before=comment), scans(1, after=marks)):
        assert (await Studio().draw(sent)).media_type == "image/jpeg"


async def test_a_picture_that_asks_too_much_ends_its_process_alone() -> None:
    narrow = Studio(Limits(memory_bytes=200 * 1024 * 1024))
    with pytest.raises(AppError) as refused:
        await narrow.draw(picture("PNG", (7_000, 7_000), compress_level=1))
    assert refused.value.code == "invalid"
    assert (await Studio().draw(picture("PNG"))).media_type == "image/png"


async def test_who_comes_when_too_many_wait_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_WAITING", 3)
    studio = Studio()
    outcomes = await asyncio.gather(*(studio.draw(picture("PNG")) for _ in range(5)), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, AppError)]
    assert {error.code for error in refused} == {"unavailable"}
    assert len(refused) == 2
    assert await studio.draw(picture("PNG"))
