"""Access tokens: EdDSA-signed JWTs (RFC 9068), verified once and remembered, never trusted blindly after."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from examkit.clock import Clock, utc_now
from examkit.errors import AppError, unauthenticated
from examkit.principal import Principal
from examkit.revocations import Revocations

ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the JWT header `typ`, not a secret
MAX_TOKEN_CHARACTERS = 8192
CLOCK_SKEW_SECONDS = 60.0
_REQUIRED = ["sub", "role", "groups", "sid", "ver", "iat", "exp", "iss", "aud"]


class KeySource(Protocol):
    """Where the keys that sign tokens are found."""

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """The key of that id, None if there is none. Raises unavailable while no keys are known at all."""


class TokenVerifier:
    """Tells who a token speaks for.

    A verified token is remembered by its SHA-256 digest (at most `capacity`, the longest unused go first);
    `exp` and revocations are looked at on each use all the same.
    """

    def __init__(
        self,
        keys: KeySource,
        revocations: Revocations,
        issuer: str,
        audience: str,
        *,
        clock: Clock = utc_now,
        capacity: int = 200_000,
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._capacity = capacity
        self._remembered: OrderedDict[bytes, Principal] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The principal of a token that is genuine, alive and not revoked.

        Raises unauthenticated (code `unauthenticated` or `token_expired`); unavailable without any keys.
        """
        known = self.remembered(token)
        if known is not None:
            return known
        principal = await self._check(token)
        self._alive(principal)
        self._remembered[_digest(token)] = principal
        if len(self._remembered) > self._capacity:
            self._remembered.popitem(last=False)
        return principal

    def remembered(self, token: str) -> Principal | None:
        """The principal of a token seen before, without awaiting; None for a new one. Raises as `verify`."""
        digest = _digest(token)
        principal = self._remembered.get(digest)
        if principal is None:
            return None
        try:
            self._alive(principal)
        except AppError:
            del self._remembered[digest]
            raise
        self._remembered.move_to_end(digest)
        return principal

    def _alive(self, principal: Principal) -> None:
        if principal.expires_at <= self._clock().timestamp():
            raise unauthenticated("The access token has expired.", code="token_expired")
        code = self._revocations.reason(principal)
        if code is not None:
            raise unauthenticated("The access token is no longer valid.", code=code)

    async def _check(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise _refused()
        key = await self._keys.key(_key_id(token))
        if key is None:
            raise _refused()
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                # Times are judged by the injected clock.
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            self._check_not_early(claims)
            return _principal(claims)
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
            raise _refused() from None

    def _check_not_early(self, claims: Mapping[str, Any]) -> None:
        latest = self._clock().timestamp() + CLOCK_SKEW_SECONDS
        if float(claims["iat"]) > latest or float(claims.get("nbf", 0)) > latest:
            raise ValueError


def public_keys(jwks_json: bytes) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 signature keys of a JWK set by key id; keys of other kinds are passed over.

    Raises ValueError where it is no JWK set.
    """
    document = json.loads(jwks_json)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a JWK set")
    keys = {}
    for jwk in document["keys"]:
        match jwk:
            case {"kty": "OKP", "crv": "Ed25519", "kid": str(kid), "x": str(x)}:
                raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
                keys[kid] = Ed25519PublicKey.from_public_bytes(raw)
    return keys


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _key_id(token: str) -> str:
    """The `kid` of a header that is exactly what we issue; keys that a header brings along are never read."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, binascii.Error):
        raise _refused() from None
    kid = header.get("kid")
    typ = header.get("typ")
    if header.get("alg") != ALGORITHM or typ != TOKEN_TYPE or not isinstance(kid, str) or "crit" in header:
        raise _refused()
    return kid


def _principal(claims: Mapping[str, Any]) -> Principal:
    groups = claims["groups"]
    role = claims["role"]
    if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
        raise ValueError
    if not isinstance(role, str) or type(claims["ver"]) is not int:
        raise ValueError
    return Principal(
        user_id=UUID(claims["sub"]),
        role=role,
        groups=frozenset(groups),
        session_id=UUID(claims["sid"]),
        token_version=claims["ver"],
        expires_at=float(claims["exp"]),
    )


def _refused() -> AppError:
    return unauthenticated("The access token is not valid.")
