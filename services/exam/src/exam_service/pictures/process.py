"""Having a picture drawn: a fresh process without our environment, our connections or our memory."""

import asyncio
import contextlib
import sys
from dataclasses import dataclass

import msgspec
import structlog
from examkit.errors import AppError, FieldError, invalid, too_large, unsupported

from exam_service import metrics
from exam_service.pictures.limits import (
    BROKEN,
    MAX_BYTES,
    MAX_PIXELS,
    NO_PICTURE,
    TOO_MANY_PIXELS,
    TOO_MANY_SCANS,
    Limits,
)
from exam_service.turns import Turns

AT_ONCE = 2
MOST_WAITING = 100
"""Some 10 MB each at the most; who comes then is told to come again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    data: bytes


class Studio:
    """Draws a few pictures at a time: a class that hands in photos must leave the machine to the rest."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._turns = Turns(AT_ONCE, MOST_WAITING, "Too many pictures are being sent at once. Try again.")

    async def draw(self, data: bytes) -> Picture:
        """Raises too_large, unsupported, invalid, unavailable."""
        if len(data) > MAX_BYTES:
            raise too_large("A picture may have at most 10 MB: make it smaller.")
        async with self._turns.take():
            status, out = await _run(data, self._limits)
        return _outcome(status, out)


async def _run(data: bytes, limits: Limits) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        # -I: neither the environment nor the working directory decides what is imported.
        *(sys.executable, "-I", "-m", "exam_service.pictures", msgspec.json.encode(limits).decode()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LANG": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limits.wall_seconds + 10):
            out, _ = await process.communicate(data)
    except TimeoutError:
        out = b""
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out


def _outcome(status: int, out: bytes) -> Picture:
    if status == 0:
        media_type, _, data = out.partition(b"\n")
        if len(data) > MAX_BYTES:
            raise too_large("The picture has too much detail: send it as a JPEG.")
        metrics.pictures.labels("drawn").inc()
        return Picture(media_type.decode(), data)
    said, refusal = _refusal(status)
    metrics.pictures.labels(said).inc()
    if said == "crashed":
        log.warning("picture_process_ended", status=status)
    raise refusal


def _refusal(status: int) -> tuple[str, AppError]:
    """A word for the metric, and what the sender is told to change."""
    if status == NO_PICTURE:
        return "no_picture", unsupported("This is no picture that is taken: send a JPEG, PNG, WebP or GIF.")
    said, detail = "crashed", "The picture is damaged: take or save it anew."
    if status == TOO_MANY_PIXELS:
        most = MAX_PIXELS // 1_000_000
        said, detail = "too_many_pixels", f"The picture has more than {most} million pixels: make it smaller."
    elif status == TOO_MANY_SCANS:
        said, detail = (
            "too_many_scans",
            "The JPEG is made of too many scans: save it anew, not as progressive.",
        )
    elif status == BROKEN:
        said = "broken"
    return said, invalid(detail, FieldError(("file",), detail))
