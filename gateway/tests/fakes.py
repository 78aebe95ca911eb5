"""The four services, faked behind real gRPC and real mutual TLS: tests say what each method answers."""

from __future__ import annotations

import base64
import inspect
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from examkit.errors import unavailable
from examkit.revocations import Revocations
from examkit.rpc.context import current_caller, current_token
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examkit.tokens import TokenVerifier, public_keys
from examprotos.auth.v1 import identity_pb2_grpc, keys_pb2, keys_pb2_grpc, user_admin_pb2_grpc
from examprotos.common.v1 import audit_pb2_grpc
from examprotos.exam.v1 import attempts_pb2_grpc, authoring_pb2_grpc, files_pb2_grpc, invigilation_pb2_grpc
from examprotos.grading.v1 import keys_pb2_grpc as answer_keys_pb2_grpc
from examprotos.grading.v1 import marking_pb2_grpc, regrading_pb2_grpc, results_pb2_grpc, statistics_pb2_grpc
from examprotos.imports.v1 import content_pb2_grpc, imports_pb2_grpc

BOTH = ("gateway-student", "gateway-staff")
ADMIN = allow("gateway-staff", roles=("admin", "marker", "invigilator"))
PARTS: dict[str, list[tuple[str, Any, str, Any]]] = {
    "auth": [
        ("examhall.auth.v1.Identity", identity_pb2_grpc, "Identity", allow(*BOTH)),
        ("examhall.auth.v1.Keys", keys_pb2_grpc, "Keys", allow(*BOTH)),
        ("examhall.auth.v1.UserAdmin", user_admin_pb2_grpc, "UserAdmin", ADMIN),
    ],
    "exam": [
        ("examhall.exam.v1.Attempts", attempts_pb2_grpc, "Attempts", allow("gateway-student")),
        ("examhall.exam.v1.AnswerFiles", files_pb2_grpc, "AnswerFiles", allow("gateway-student")),
        ("examhall.exam.v1.QuestionFiles", files_pb2_grpc, "QuestionFiles", ADMIN),
        ("examhall.exam.v1.Files", files_pb2_grpc, "Files", allow(*BOTH)),
        ("examhall.exam.v1.Authoring", authoring_pb2_grpc, "Authoring", ADMIN),
        ("examhall.exam.v1.Invigilation", invigilation_pb2_grpc, "Invigilation", ADMIN),
    ],
    "grading": [
        ("examhall.grading.v1.AnswerKeys", answer_keys_pb2_grpc, "AnswerKeys", ADMIN),
        ("examhall.grading.v1.Results", results_pb2_grpc, "Results", allow("gateway-student")),
        ("examhall.grading.v1.Marking", marking_pb2_grpc, "Marking", ADMIN),
        ("examhall.grading.v1.Regrading", regrading_pb2_grpc, "Regrading", ADMIN),
        ("examhall.grading.v1.Statistics", statistics_pb2_grpc, "Statistics", ADMIN),
    ],
    "import": [
        ("examhall.imports.v1.Imports", imports_pb2_grpc, "Imports", ADMIN),
        ("examhall.imports.v1.Content", content_pb2_grpc, "Content", ADMIN),
    ],
}
AUDIT = ("examhall.common.v1.AuditLog", audit_pb2_grpc, "AuditLog", ADMIN)


@dataclass
class Call:
    """What a fake was asked."""

    service: str
    method: str
    request: Any
    caller: str
    token: str | None


@dataclass
class Fakes:
    """`answers["Attempts/Start"]`: a message, an exception, or a function of the request, async or not."""

    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    revocations: list[keys_pb2.Revocation] = field(default_factory=list)
    servers: dict[str, RpcServer] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    downs: set[str] = field(default_factory=set)

    async def start(self, certificates: Callable[[str], TlsFiles]) -> None:
        for name in PARTS:
            await self._start(name, certificates(name), "127.0.0.1:0")
        self.answers["Keys/GetJwks"] = keys_pb2.GetJwksResponse(jwks_json=self.jwks())
        self.answers["Keys/ListRevocations"] = lambda _: keys_pb2.ListRevocationsResponse(
            revocations=self.revocations, cursor="1"
        )

    async def _start(self, name: str, tls: TlsFiles, bind: str) -> None:
        parts = [*PARTS[name], AUDIT]
        verifier = TokenVerifier(_Keys(self), Revocations(), "examhall", "examhall-api")
        server = RpcServer(bind, tls, {full: rule for full, _, _, rule in parts}, verifier)
        for _, module, service, _ in parts:
            servicer = _servicer(self, name, getattr(module, f"{service}Servicer"), service)
            getattr(module, f"add_{service}Servicer_to_server")(servicer, server.grpc)
        self.addresses[name] = f"127.0.0.1:{await server.start()}"
        self.servers[name] = server

    async def stop(self) -> None:
        for server in self.servers.values():
            await server.stop(0)

    def reset(self) -> None:
        """Back to knowing nothing but the keys."""
        for name in [name for name in self.answers if not name.startswith("Keys/")]:
            del self.answers[name]
        self.calls.clear()
        self.revocations.clear()
        self.downs.clear()

    async def respond(self, owner: str, name: str, request: Any) -> Any:
        service, _, _ = name.partition("/")
        if owner in self.downs:
            raise unavailable("This service is down.")
        if service != "Keys":
            self.calls.append(Call(owner, name, request, current_caller(), current_token.get()))
        keyed = f"{owner}:{name}"
        answer = self.answers.get(keyed, self.answers.get(name))
        assert answer is not None, f"nothing said what {name} answers"
        if callable(answer):
            answer = answer(request)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def asked(self, name: str) -> Any:
        """The last request to that method."""
        return [call for call in self.calls if call.method == name][-1].request

    def jwks(self) -> bytes:
        raw = self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return msgspec.json.encode({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": x}]})

    def token(
        self,
        role: str = "student",
        *,
        user: uuid.UUID | None = None,
        session: uuid.UUID | None = None,
        life=600,
    ) -> str:
        now = int(time.time())
        claims = {
            "sub": str(user or uuid.uuid4()),
            "role": role,
            "groups": [],
            "sid": str(session or uuid.uuid4()),
            "ver": 1,
            "iat": now - 10,
            "exp": now + life,
            "iss": "examhall",
            "aud": "examhall-api",
        }
        return jwt.encode(claims, self.signing, "EdDSA", headers={"typ": "at+jwt", "kid": "k1"})


@dataclass
class _Keys:
    fakes: Fakes

    async def key(self, kid: str) -> Any:
        return public_keys(self.fakes.jwks()).get(kid)


def _servicer(fakes: Fakes, owner: str, base: type, service: str) -> Any:
    def method(name: str) -> Any:
        async def unary(self: Any, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            return await fakes.respond(owner, f"{service}/{name}", request)

        async def streaming(self: Any, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            async for item in await fakes.respond(owner, f"{service}/{name}", request):
                yield item

        return streaming if name.startswith("Watch") else unary

    names = [name for name in vars(base) if not name.startswith("_")]
    return type(f"Fake{service}", (base,), {name: method(name) for name in names})()
