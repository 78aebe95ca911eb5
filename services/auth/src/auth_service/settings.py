"""The settings of auth, read once."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import timedelta

from examkit.settings import ServiceSettings

from auth_service.domain.refreshing import Lifetimes


@dataclass(frozen=True, kw_only=True)
class KeySettings:
    """What rotating the signing keys needs: for the command `rotate-keys`."""

    database_url: str = field(repr=False, metadata={"form": "postgresql"})
    db_schema: str = "auth"
    key_encryption_key: str = field(repr=False)
    key_publish_lead_seconds: int = field(default=600, metadata={"minimum": 90})
    access_token_seconds: int = field(default=1800, metadata={"minimum": 60, "maximum": 86400})

    def __post_init__(self) -> None:
        decode_key(self.key_encryption_key)


@dataclass(frozen=True, kw_only=True)
class AdminSettings:
    """What `create-admin` needs."""

    database_url: str = field(repr=False, metadata={"form": "postgresql"})
    db_schema: str = "auth"
    admin_password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """`key_encryption_key` (32 bytes in base64) seals the signing keys in the database."""

    key_encryption_key: str = field(repr=False)
    access_token_seconds: int = field(default=1800, metadata={"minimum": 60, "maximum": 86400})
    refresh_idle_seconds: int = field(default=12 * 3600, metadata={"minimum": 60})
    session_seconds: int = field(default=7 * 86400, metadata={"minimum": 60})
    key_rotation_seconds: int = field(default=30 * 86400, metadata={"minimum": 3600})
    # Longer than the other processes take to fetch the key set anew (a minute), with room to spare.
    key_publish_lead_seconds: int = field(default=600, metadata={"minimum": 90})
    hash_queue: int = field(default=256, metadata={"minimum": 1})

    def __post_init__(self) -> None:
        decode_key(self.key_encryption_key)

    @property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            access=timedelta(seconds=self.access_token_seconds),
            refresh_idle=timedelta(seconds=self.refresh_idle_seconds),
            session=timedelta(seconds=self.session_seconds),
        )


def decode_key(text: str) -> bytes:
    """The 32 bytes of KEY_ENCRYPTION_KEY. Raises ValueError, which doesn't repeat the value."""
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != 32:
        raise ValueError("KEY_ENCRYPTION_KEY must be 32 bytes in base64")
    return key
