"""`python -m exam_service.pictures <limits>`: a picture on stdin; on stdout its type, a newline, its bytes.

The limits are set before the first byte is read. The process inherits no environment, and so no secrets.
"""

import os
import resource
import signal
import sys

import msgspec

from exam_service.pictures.limits import (
    BEYOND_A_LIMIT,
    BROKEN,
    MAX_BYTES,
    NO_PICTURE,
    TOO_MANY_PIXELS,
    TOO_MANY_SCANS,
    Limits,
)

_NICENESS = 10
"""Behind those who save."""


def main(limits_json: str) -> None:
    _confine(msgspec.json.decode(limits_json, type=Limits))
    # Only now: what reads pictures is already confined.
    from exam_service.pictures import drawing

    try:
        media_type, data = drawing.draw(sys.stdin.buffer.read(MAX_BYTES + 1))
    except drawing.NoPictureError:
        sys.exit(NO_PICTURE)
    except drawing.TooManyPixelsError:
        sys.exit(TOO_MANY_PIXELS)
    except drawing.TooManyScansError:
        sys.exit(TOO_MANY_SCANS)
    except drawing.BrokenPictureError:
        sys.exit(BROKEN)
    except MemoryError:
        # Without Python's own way out, which would ask for more of it.
        os._exit(BEYOND_A_LIMIT)
    sys.stdout.buffer.write(media_type.encode() + b"\n" + data)


def _confine(limits: Limits) -> None:
    os.nice(_NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard),) * 2)
    # Should the parent be gone, nobody else ends us.
    signal.alarm(limits.wall_seconds)


if __name__ == "__main__":
    main(sys.argv[1])
