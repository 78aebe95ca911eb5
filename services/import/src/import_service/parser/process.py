"""Running the parser: a fresh process without our environment, our connections or our memory."""

import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import BinaryIO

import msgspec
import structlog

from import_service import metrics
from import_service.domain.columns import Kind
from import_service.domain.refusal import DAMAGED, TOO_COMPLEX, TOO_COMPLEX_DETAIL, FileRefused
from import_service.parser.frames import Bad, End, Failure, Frame, Good, Header, read_frames
from import_service.parser.limits import BEYOND_A_LIMIT, Limits
from import_service.parser.recognising import Format

STARTUP_SECONDS = 10
Row = Good | Bad

log = structlog.get_logger(__name__)


class ParsedFile:
    """What the parser said of a workbook; it lies in a file of no name, and is read in portions."""

    def __init__(self, frames: BinaryIO, header: tuple[str, ...], end: End) -> None:
        self._frames = frames
        self.header = header
        self.total_rows = end.rows

    async def portions(self, size: int) -> AsyncIterator[list[Row]]:
        """All rows in their order, at most `size` at a time. Can be read again afterwards."""
        self._frames.seek(0)
        frames = (frame for frame in read_frames(self._frames) if isinstance(frame, Good | Bad))
        while portion := await asyncio.to_thread(lambda: list(islice(frames, size))):
            yield portion


@asynccontextmanager
async def parsed(
    source: BinaryIO, file_format: Format, kind: Kind, limits: Limits
) -> AsyncIterator[ParsedFile]:
    """Has a workbook read and judged by another process. Raises FileRefused."""
    with tempfile.TemporaryFile(prefix="examhall-parsed-") as out:
        started = time.monotonic()
        status = await _run(source, out, file_format, kind, limits)
        metrics.parse_seconds.labels(file_format).observe(time.monotonic() - started)
        header, end = await asyncio.to_thread(_outcome, out, status)
        yield ParsedFile(out, header, end)


async def _run(source: BinaryIO, out: BinaryIO, file_format: Format, kind: Kind, limits: Limits) -> int:
    source.seek(0)
    arguments = (file_format, kind, msgspec.json.encode(limits).decode())
    process = await asyncio.create_subprocess_exec(
        # -I: neither the environment nor the working directory decides what is imported.
        *(sys.executable, "-I", "-m", "import_service.parser", *arguments),
        stdin=source,
        stdout=out,
        stderr=asyncio.subprocess.DEVNULL,  # a traceback could quote cells
        env={"LANG": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limits.wall_seconds + STARTUP_SECONDS):
            return await process.wait()
    except TimeoutError:
        return -signal.SIGALRM
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _outcome(out: BinaryIO, status: int) -> tuple[tuple[str, ...], End]:
    """The header and the end of a file that was read whole. Raises FileRefused."""
    out.seek(0)
    header: tuple[str, ...] = ()
    last: Frame | None = None
    try:
        for frame in read_frames(out):
            last = frame
            if isinstance(frame, Header):
                header = frame.cells
    except (EOFError, msgspec.MsgspecError):
        last = None
    if isinstance(last, Failure):
        raise FileRefused(last.code, last.detail)
    if status == 0 and isinstance(last, End):
        return header, last
    raise _crashed(status)


def _crashed(status: int) -> FileRefused:
    """What a parser that ended without a word has met."""
    if status < 0:
        reason = {signal.SIGXCPU: "cpu", signal.SIGKILL: "killed", signal.SIGALRM: "time"}.get(
            signal.Signals(-status), "crash"
        )
    else:
        reason = "limit" if status == BEYOND_A_LIMIT else "error"
    metrics.parser_kills.labels(reason).inc()
    log.warning("parser_ended", status=status, reason=reason)
    if reason == "error":
        return FileRefused(
            DAMAGED, "The workbook can't be read: open it in a spreadsheet program and save it anew."
        )
    return FileRefused(TOO_COMPLEX, TOO_COMPLEX_DETAIL)
