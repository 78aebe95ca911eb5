"""Keys: what every process needs to check access tokens by itself."""

from __future__ import annotations

from typing import Any

from examkit.errors import unavailable
from examprotos.auth.v1 import keys_pb2 as pb
from examprotos.auth.v1.keys_pb2_grpc import KeysServicer as Base

from auth_service.revocation_messages import to_message
from auth_service.usecases.revoking import list_revocations
from auth_service.usecases.unit import Auth


class KeysServicer(Base):
    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    async def GetJwks(self, request: pb.GetJwksRequest, context: Any) -> pb.GetJwksResponse:
        if not self._auth.key_ring.loaded:
            raise unavailable("Signing keys are not loaded yet.")
        return pb.GetJwksResponse(jwks_json=self._auth.key_ring.jwks())

    async def ListRevocations(
        self, request: pb.ListRevocationsRequest, context: Any
    ) -> pb.ListRevocationsResponse:
        entries, cursor = await list_revocations(self._auth, request.cursor)
        return pb.ListRevocationsResponse(revocations=map(to_message, entries), cursor=cursor)
