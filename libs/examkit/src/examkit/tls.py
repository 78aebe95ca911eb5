"""Mutual TLS between processes: credentials from files, and the peer's identity from its certificate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from cryptography import x509
from prometheus_client import Gauge

IDENTITY_DOMAIN = "examhall.internal"

_expiry = Gauge(
    "examhall_certificate_expiry_timestamp_seconds",
    "When the certificate ends that the process shows, in Unix time",
    ["identity"],
)


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
        [(files.key.read_bytes(), _shown(files))],
        root_certificates=files.ca.read_bytes(),
        require_client_auth=True,
    )


def channel_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """For a client that shows its certificate and checks the server's."""
    return grpc.ssl_channel_credentials(
        root_certificates=files.ca.read_bytes(),
        private_key=files.key.read_bytes(),
        certificate_chain=_shown(files),
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


def _shown(files: TlsFiles) -> bytes:
    """One's own certificate chain; from now on the process tells when it ends."""
    chain = files.cert.read_bytes()
    own = x509.load_pem_x509_certificate(chain)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    for name in names.get_values_for_type(x509.DNSName):
        identity, _, domain = name.partition(".")
        if domain == IDENTITY_DOMAIN:
            _expiry.labels(identity).set(own.not_valid_after_utc.timestamp())
    return chain
