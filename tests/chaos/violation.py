"""A broken promise, as the rules report it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """`at`: when it showed, on the scale of the history; infinity for what the end alone shows."""

    rule: str
    subject: str
    detail: str
    at: float = float("inf")
