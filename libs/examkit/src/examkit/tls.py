"""Mutual TLS between processes: credentials from files, and the peer's identity from its certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

IDENTITY_DOMAIN = "examhall.internal"


@dataclass(frozen=True)
class TlsFiles:
    """PEM files: the CA that vouches for everyone, and one's own certificate chain and key."""

    ca: Path
    cert: Path
    key: Path

    def unreadable(self) -> list[str]:
        """What can't be read, as sentences; empty when all is well."""
        found = []
        for path in (self.ca, self.cert, self.key):
            try:
                path.read_bytes()
            except OSError as error:
                found.append(f"{path}: {error.strerror}")
        return found


def server_name(identity: str) -> str:
    """The DNS name in the certificate of an identity."""
    return f"{identity}.{IDENTITY_DOMAIN}"


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """For a server that requires every client to show a certificate of the same CA."""
    return grpc.ssl_server_credentials(
        [(files.key.read_bytes(), files.cert.read_bytes())],
        root_certificates=files.ca.read_bytes(),
        require_client_auth=True,
    )


def channel_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """For a client that shows its certificate and checks the server's."""
    return grpc.ssl_channel_credentials(
        root_certificates=files.ca.read_bytes(),
        private_key=files.key.read_bytes(),
        certificate_chain=files.cert.read_bytes(),
    )


def peer_identity(auth_context: Mapping[str, Iterable[bytes]]) -> str | None:
    """The identity that the peer's certificate proves; None where it names none, or more than one."""
    suffix = f".{IDENTITY_DOMAIN}".encode()
    found = {
        name.removesuffix(suffix)
        for name in auth_context.get("x509_subject_alternative_name", ())
        if name.endswith(suffix)
    }
    if len(found) != 1:
        return None
    identity = found.pop().decode("ascii", "replace")
    return identity if identity and "." not in identity and "*" not in identity else None
