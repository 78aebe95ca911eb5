"""How long to wait after failed logins: by account and address together, so nobody can lock out another."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import datetime, timedelta

FREE_FAILURES = 5
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)
"""Failures older than this count no more."""


def wait_after(failures: int) -> timedelta:
    """The wait that the failure of this number brings: none at first, then doubling from 5 s to 15 min."""
    over = failures - FREE_FAILURES
    if over < 0:
        return timedelta(0)
    return min(FIRST_WAIT * (1 << min(over, 16)), LONGEST_WAIT)


def account_digest(email: str) -> bytes:
    """Stands for what was typed as the e-mail, known or not, without keeping it."""
    return hashlib.sha256(email.strip().casefold().encode("utf-8", "replace")).digest()


def address_scope(address: str) -> str:
    """Whom an address stands for: an IPv4 address itself, for IPv6 the /64 that one customer has."""
    try:
        parsed = ipaddress.ip_address(address.strip())
    except ValueError:
        # Not an address: a digest keeps the row small and free of what Postgres refuses.
        return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest() if address else ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def seconds_left(blocked_until: datetime | None, now: datetime) -> float:
    """How long is still to wait, in seconds; 0 where nothing is in the way."""
    return 0.0 if blocked_until is None else max(0.0, (blocked_until - now).total_seconds())
