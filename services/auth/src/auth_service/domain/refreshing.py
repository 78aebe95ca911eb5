"""Refresh tokens: each works once, and is followed by one that can be derived again but is stored nowhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

TOKEN_BYTES = 32
REUSED = "refresh_reused"  # why a session ended


@dataclass(frozen=True)
class Lifetimes:
    """How long things last."""

    access: timedelta = timedelta(minutes=30)
    refresh_idle: timedelta = timedelta(hours=12)
    session: timedelta = timedelta(days=7)
    repeat_window: timedelta = timedelta(seconds=30)
    password_link: timedelta = timedelta(days=7)


@dataclass(frozen=True)
class Session:
    """A family of refresh tokens that began with one login. `ends_at`: no refresh leads beyond."""

    id: UUID
    user_id: UUID
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    end_reason: str | None


@dataclass(frozen=True)
class RefreshToken:
    """A token as stored. `nonce` is set when it is used, and with the server's secret gives its successor."""

    digest: bytes
    session_id: UUID
    expires_at: datetime
    used_at: datetime | None
    nonce: bytes | None
    successor_used: bool
    successor_expires_at: datetime | None


class Verdict(Enum):
    """What becomes of a refresh token that was sent."""

    ROTATE = auto()
    REPEAT = auto()
    REUSED = auto()
    OVER = auto()


def judge(session: Session, token: RefreshToken, now: datetime, repeat_window: timedelta) -> Verdict:
    """The contract's rule: the previous token, sent again within 30 s and before its successor was used,
    gives the same successor; any other re-use ends the family.
    """
    if session.ended_at is not None:
        return Verdict.REUSED if session.end_reason == REUSED else Verdict.OVER
    if now >= session.ends_at or now >= token.expires_at:
        return Verdict.OVER
    if token.used_at is None:
        return Verdict.ROTATE
    if token.successor_used or now - token.used_at > repeat_window:
        return Verdict.REUSED
    return Verdict.REPEAT


def refresh_expiry(session_ends_at: datetime, now: datetime, lifetimes: Lifetimes) -> datetime:
    """Each use moves the end on, never beyond the session's own."""
    return min(now + lifetimes.refresh_idle, session_ends_at)


def access_expiry(session_ends_at: datetime, now: datetime, lifetimes: Lifetimes) -> datetime:
    return min(now + lifetimes.access, session_ends_at)


def encode_token(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def digest(token: str) -> bytes:
    """What is stored of a token: enough to recognise it, useless to whoever reads the table."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def successor_of(token: str, nonce: bytes, secret: bytes) -> str:
    """The token that follows: needs the previous one, the stored nonce and the server's secret, all three."""
    return encode_token(hmac.new(secret, nonce + token.encode("utf-8", "replace"), hashlib.sha256).digest())
