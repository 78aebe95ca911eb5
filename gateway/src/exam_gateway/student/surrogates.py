"""Lone surrogates in a JSON text: escapes that are valid JSON and no character."""

from __future__ import annotations

import re

MOST = 1_000
"""What holds more of them is no answer; they are left in place."""

_WORTH_A_LOOK = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# Plain bytes, other escapes, and whole pairs. Bounded, so that no single match holds up other threads.
_FINE = re.compile(
    rb"(?:[^\\]+|\\[^u]|\\u(?![dD][89a-fA-F])"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}){1,4096}"
)


def without_surrogates(text: bytes) -> bytes:
    r"""The JSON text with each lone surrogate as the escape \u0000; at most MOST of them.

    A text that is no JSON comes back as no JSON.
    """
    if not _WORTH_A_LOOK.search(text):
        return text
    parts: list[bytes] = []
    at = found = 0
    while at < len(text) and found < MOST:
        fine = _FINE.match(text, at)
        lone = None if fine else _LONE.match(text, at)
        if fine:
            parts.append(fine.group())
            at = fine.end()
        elif lone:
            parts.append(b"\\u0000")
            at = lone.end()
            found += 1
        else:
            break
    return b"".join([*parts, text[at:]])
