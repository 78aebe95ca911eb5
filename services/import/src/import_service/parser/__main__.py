"""`python -m import_service.parser <format> <kind> <limits>`: a workbook on stdin, frames on stdout.

The limits are set before the first byte is read. The process inherits no environment, and so no secrets.
"""

import os
import resource
import signal
import sys

import msgspec

from import_service.parser.limits import BEYOND_A_LIMIT, Limits


def main(file_format: str, kind: str, limits_json: str) -> None:
    limits = msgspec.json.decode(limits_json, type=Limits)
    _confine(limits)
    # Only now: what reads workbooks is already confined.
    from import_service.domain.columns import Kind
    from import_service.parser.frames import FrameWriter
    from import_service.parser.reading import read_workbook
    from import_service.parser.recognising import Format

    try:
        data = sys.stdin.buffer.read()
        writer = FrameWriter(sys.stdout.buffer)
        for frame in read_workbook(data, Format(file_format), Kind(kind)):
            writer.write(frame)
        sys.stdout.buffer.flush()
    except (OSError, MemoryError):
        # Without Python's own way out, which would try to write once more.
        os._exit(BEYOND_A_LIMIT)


def _confine(limits: Limits) -> None:
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard),) * 2)
    # Should the parent be gone, nobody else ends us.
    signal.alarm(limits.wall_seconds)


if __name__ == "__main__":
    main(*sys.argv[1:4])
