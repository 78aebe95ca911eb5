"""What the parser's process may use."""

import msgspec

BEYOND_A_LIMIT = 3
"""The exit status of a parser that met one, and could still say so."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Beyond any of these the workbook counts as too involved."""

    memory_bytes: int = 768 * 1024 * 1024
    cpu_seconds: int = 60
    wall_seconds: int = 120
    output_bytes: int = 512 * 1024 * 1024
