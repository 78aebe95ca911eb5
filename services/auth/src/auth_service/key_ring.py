"""The signing keys in memory: signs access tokens, checks them, and gives the public key set."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from examkit.clock import Clock
from examkit.db import Database
from examkit.errors import unavailable
from examkit.tokens import ALGORITHM, TOKEN_TYPE

from auth_service import metrics
from auth_service.domain.accounts import User
from auth_service.domain.key_schedule import KeyTimes, signing_key
from auth_service.repository import signing_keys
from auth_service.repository.signing_keys import StoredKey
from auth_service.sealing import Seal

UNKNOWN_KEY_SECONDS = 10.0


@dataclass(frozen=True)
class _OpenKey:
    times: KeyTimes
    public: Ed25519PublicKey
    private: Ed25519PrivateKey


class KeyRing:
    """What the database holds of keys, opened. `reload` it every few seconds."""

    def __init__(
        self,
        db: Database,
        seal: Seal,
        *,
        issuer: str,
        audience: str,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._seal = seal
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._monotonic = monotonic
        self._keys: dict[str, _OpenKey] = {}
        self._lookup_due = float("-inf")

    @property
    def loaded(self) -> bool:
        return bool(self._keys)

    async def reload(self) -> None:
        """Raises SealError where KEY_ENCRYPTION_KEY is another one; unavailable without Postgres."""
        async with self._db.reading() as conn:
            stored = await signing_keys.all_keys(conn)
        self._keys = {key.times.kid: self._keys.get(key.times.kid) or self._opened(key) for key in stored}
        current = self._current()
        if current is not None:
            age = self._clock() - current.times.signs_from
            metrics.signing_key_age.set(age.total_seconds())

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """For the TokenVerifier. An unknown key is looked for in the database, at most every 10 s.

        Raises unavailable as long as it could not be looked for: it may be a good one.
        """
        if kid not in self._keys and self._monotonic() >= self._lookup_due:
            await self.reload()
            self._lookup_due = self._monotonic() + UNKNOWN_KEY_SECONDS
        known = self._keys.get(kid)
        return None if known is None else known.public

    def access_token(self, user: User, session_id: UUID, now: datetime, expires_at: datetime) -> str:
        """A signed token (RFC 9068). Raises unavailable before keys were loaded."""
        key = self._current()
        if key is None:
            raise unavailable("Signing keys are not loaded yet.")
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user.id),
            "role": user.role.value,
            "groups": list(user.groups),
            "sid": str(session_id),
            "ver": user.token_version,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        headers = {"typ": TOKEN_TYPE, "kid": key.times.kid}
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)

    def jwks(self) -> bytes:
        """The public keys, those included that do not sign yet or no longer (RFC 7517, RFC 8037)."""
        return json.dumps({"keys": [_jwk(key) for key in self._keys.values()]}).encode()

    def _current(self) -> _OpenKey | None:
        times: Sequence[KeyTimes] = [key.times for key in self._keys.values()]
        chosen = signing_key(times, self._clock())
        return None if chosen is None else self._keys[chosen.kid]

    def _opened(self, key: StoredKey) -> _OpenKey:
        private = self._seal.open(key.times.kid, key.sealed_private_key)
        return _OpenKey(key.times, private.public_key(), private)


def _jwk(key: _OpenKey) -> dict[str, str]:
    raw = base64.urlsafe_b64encode(key.public.public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": key.times.kid, "x": raw}
