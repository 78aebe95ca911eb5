"""What a picture may be, what the process that draws it may use, and how that process says what was wrong."""

import msgspec

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""The largest cameras of phones have as many."""
MAX_SIDE = 4_096
"""Pixels; what is larger is made smaller. A written page stays readable."""
MAX_SCANS = 100
"""Of a JPEG: each goes over all of its pixels again. Cameras and programs write 14 at the most."""
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}

BEYOND_A_LIMIT = 3
NO_PICTURE = 4
TOO_MANY_PIXELS = 5
BROKEN = 6
TOO_MANY_SCANS = 7
"""Exit statuses."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Enough for MAX_PIXELS with four bytes each, and for what is made of them."""

    memory_bytes: int = 1024 * 1024 * 1024
    cpu_seconds: int = 6
    wall_seconds: int = 30
