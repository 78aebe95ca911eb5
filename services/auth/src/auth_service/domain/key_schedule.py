"""When a signing key is published, signs, and may be forgotten, by the clock alone: replicas agree."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

CLOCK_MARGIN = timedelta(minutes=5)
"""Beyond a token's life: for clocks that differ and replicas that reload late."""


@dataclass(frozen=True)
class KeyTimes:
    """A key is published from its creation on, and signs from `signs_from` until a later key does."""

    kid: str
    created_at: datetime
    signs_from: datetime


def signing_key(keys: Sequence[KeyTimes], now: datetime) -> KeyTimes | None:
    """The one key that signs at this moment; None before there is any."""
    begun = [key for key in keys if key.signs_from <= now]
    # The very first key may have been made by a replica whose clock is a little ahead of ours.
    return max(begun, key=_order) if begun else min(keys, key=_order, default=None)


def upcoming(keys: Sequence[KeyTimes], now: datetime) -> bool:
    """Whether a key is published that is still to take over."""
    current = signing_key(keys, now)
    return any(key.signs_from > now and key != current for key in keys)


def is_due(keys: Sequence[KeyTimes], now: datetime, every: timedelta, lead: timedelta) -> bool:
    """Whether a new key should be published, so that it signs when the present one is `every` old."""
    current = signing_key(keys, now)
    return not upcoming(keys, now) and (current is None or now >= current.signs_from + every - lead)


def dead_keys(keys: Sequence[KeyTimes], now: datetime, token_life: timedelta) -> list[KeyTimes]:
    """Keys that signed no token that can still be alive."""
    ordered = sorted(keys, key=_order)
    horizon = now - token_life - CLOCK_MARGIN
    return [key for key, next_key in itertools.pairwise(ordered) if next_key.signs_from <= horizon]


def _order(key: KeyTimes) -> tuple[datetime, datetime, str]:
    return (key.signs_from, key.created_at, key.kid)
