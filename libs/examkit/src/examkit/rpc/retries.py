"""Trying a call again: after which failures, with which pauses, and how often before it would be a storm."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import grpc

from examkit.rpc.trailers import decode

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
BUDGET = 20.0
EARNED_BY_AN_ANSWER = 0.1

# A server that leaves cancels the calls that had reached it and that it had not taken (grpc issue 41785).
_OF_THE_TRANSPORT = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})


class Budget:
    """Tries beyond the first: each costs 1, each answer brings back a tenth, so that where a service is away
    for long there are soon none, and where it answers there is at most one to ten calls."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = BUDGET

    def earn(self) -> None:
        self._left = min(BUDGET, self._left + EARNED_BY_AN_ANSWER)

    def spend(self) -> bool:
        """Whether there is one to be had; it is taken."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@cache
def budget_of(path: str) -> Budget:
    """One for each method, for all who call it from this process."""
    return Budget()


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try: each about twice as long as the one before."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause * (0.5 + random.random())  # noqa: S311 - jitter
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def unreached(error: grpc.aio.AioRpcError) -> bool:
    """Whether the transport failed. A service that itself says "unavailable" asks for time, not for more."""
    return error.code() in _OF_THE_TRANSPORT and decode(error.trailing_metadata()) is None
