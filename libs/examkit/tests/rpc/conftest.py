"""A small installation for tests of RPC: a CA, certificates, signed tokens, an echo service."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID
from examkit.ids import uuid7
from examkit.revocations import Revocations
from examkit.rpc.client import connect
from examkit.rpc.policy import Policies
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examkit.tokens import TokenVerifier

ECHO = "examhall.test.v1.Echo"
ISSUER, AUDIENCE = "examhall", "examhall-api"


class Pki:
    """A certificate authority and the files of whom it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {folder.name}")])
        self._ca = folder / "ca.pem"
        self._ca.write_bytes(self._sign(self._name, self._key, x509.BasicConstraints(True, None)))

    def files(self, identity: str, *names: str) -> TlsFiles:
        """For `<identity>.examhall.internal`, or for the given DNS names instead."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity)])
        hosts = names or (f"{identity}.examhall.internal", "localhost")
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in hosts])
        cert_path, key_path = self._folder / f"{identity}.pem", self._folder / f"{identity}.key"
        cert_path.write_bytes(self._sign(subject, key, alternative))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return TlsFiles(self._ca, cert_path, key_path)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass
class Signer:
    """Signs access tokens as auth does."""

    kid: str = "k1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def token(
        self,
        *,
        role: str = "student",
        lifetime: float = 1800.0,
        user_id: UUID | None = None,
        session_id: UUID | None = None,
        version: int = 1,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        now = datetime.now(UTC).timestamp()
        payload = {
            "sub": str(user_id or uuid7()),
            "role": role,
            "groups": ["class-a"],
            "sid": str(session_id or uuid7()),
            "ver": version,
            "iat": now,
            "exp": now + lifetime,
            "iss": ISSUER,
            "aud": AUDIENCE,
        } | claims
        head = {"kid": self.kid, "typ": "at+jwt"} | dict(headers or {})
        return jwt.encode(payload, self.key, algorithm="EdDSA", headers=head)

    @property
    def public(self) -> Ed25519PublicKey:
        return self.key.public_key()

    @property
    def jwk(self) -> dict[str, str]:
        raw = self.public.public_bytes_raw()
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid, "x": x}

    @property
    def jwks(self) -> bytes:
        return json.dumps({"keys": [self.jwk]}).encode()


class FixedKeys:
    """A key source that knows one signer."""

    def __init__(self, signer: Signer) -> None:
        self._keys = {signer.kid: signer.public}

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        return self._keys.get(kid)


@dataclass
class EchoWorld:
    """Starts echo servers whose behaviour a test gives, and channels to them."""

    pki: Pki
    signer: Signer
    revocations: Revocations
    verifier: TokenVerifier
    stack: AsyncExitStack

    async def serve(
        self,
        policies: Policies,
        *,
        unary: Callable[..., Awaitable[bytes]] | None = None,
        stream: Callable[..., Any] | None = None,
        upload: Callable[..., Awaitable[bytes]] | None = None,
        bind: str = "127.0.0.1:0",
    ) -> RpcServer:
        server = RpcServer(bind, self.pki.files("exam"), policies, self.verifier)
        handlers = {}
        if unary:
            handlers["Say"] = grpc.unary_unary_rpc_method_handler(unary)
        if stream:
            handlers["Listen"] = grpc.unary_stream_rpc_method_handler(stream)
        if upload:
            handlers["Collect"] = grpc.stream_unary_rpc_method_handler(upload)
        server.grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ECHO, handlers),))
        await server.start()
        self.stack.push_async_callback(server.stop, 0.0)
        return server

    def channel(
        self, port: int, *, identity: str = "gateway-student", server: str = "exam"
    ) -> grpc.aio.Channel:
        return self.channel_with(self.pki.files(identity), port, server=server)

    def channel_with(self, tls: TlsFiles, port: int, *, server: str = "exam") -> grpc.aio.Channel:
        channel = connect(f"127.0.0.1:{port}", server=server, tls=tls)
        self.stack.push_async_callback(channel.close)
        return channel


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def foreign_pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("foreign"))


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
async def world(pki: Pki, signer: Signer) -> AsyncIterator[EchoWorld]:
    revocations = Revocations()
    verifier = TokenVerifier(FixedKeys(signer), revocations, ISSUER, AUDIENCE)
    async with AsyncExitStack() as stack:
        yield EchoWorld(pki, signer, revocations, verifier, stack)
