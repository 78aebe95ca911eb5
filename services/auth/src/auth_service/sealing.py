"""What protects secrets at rest: keys derived from KEY_ENCRYPTION_KEY, each for one purpose."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class SealError(Exception):
    """A sealed key that KEY_ENCRYPTION_KEY does not open."""


class Seal:
    """Seals private keys (AES-256-GCM, bound to the key id) and gives the secret of refresh tokens."""

    def __init__(self, key_encryption_key: bytes) -> None:
        self._cipher = AESGCM(_derived(key_encryption_key, b"examhall signing keys v1"))
        self.refresh_secret = _derived(key_encryption_key, b"examhall refresh successors v1")

    def close(self, kid: str, key: Ed25519PrivateKey) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key.private_bytes_raw(), kid.encode())

    def open(self, kid: str, sealed: bytes) -> Ed25519PrivateKey:
        """Raises SealError."""
        try:
            raw = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], kid.encode())
        except (InvalidTag, ValueError):
            raise SealError(
                "A signing key can't be opened: is KEY_ENCRYPTION_KEY that of this database?"
            ) from None
        return Ed25519PrivateKey.from_private_bytes(raw)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, purpose).derive(key)
