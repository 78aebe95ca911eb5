"""What ends access tokens before their time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

ENDED = "unauthenticated"
"""The session is over: only a new login helps."""
STALE = "token_expired"
"""Rights changed: a refresh brings a fresh token, the session lives on."""


@dataclass(frozen=True)
class SessionRevocation:
    """Every access token of this session family."""

    session_id: UUID
    code: str
    expires_at: datetime


@dataclass(frozen=True)
class UserRevocation:
    """Access tokens of this user with a version below `min_token_version`."""

    user_id: UUID
    min_token_version: int
    code: str
    expires_at: datetime


Revocation = SessionRevocation | UserRevocation
