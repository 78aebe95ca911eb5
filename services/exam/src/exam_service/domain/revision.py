"""Which save of an answer counts, so that retries, re-orderings and two open tabs bring no old one back."""

from dataclasses import dataclass
from typing import Literal

MAX_REVISION = 2**53 - 1
"""The largest whole number that a browser holds exactly."""

Outcome = Literal["stored", "repeat", "superseded", "conflict"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """`revision` is the one stored afterwards; the answer sent is taken only where it is `stored`."""

    outcome: Outcome
    revision: int


def judge(stored: int | None, sent: int | None, *, same_answer: bool) -> Judgement:
    """What becomes of a save with revision `sent` (None: not given) where `stored` (None: nothing) is kept.

    `same_answer`: whether the answer that was sent equals the stored one. Without a revision a save takes the
    stored one + 1; where no higher one is left it is a repeat of what is there, or a conflict with it.
    """
    if stored is None:
        return Judgement("stored", 1 if sent is None else sent)
    if sent is None and stored < MAX_REVISION:
        return Judgement("stored", stored + 1)
    if sent is not None and sent != stored:
        return Judgement("stored", sent) if sent > stored else Judgement("superseded", stored)
    return Judgement("repeat" if same_answer else "conflict", stored)
