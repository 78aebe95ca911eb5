"""Auth's `Keys` as a test wants it."""

import json
from typing import Any

from examkit.errors import unavailable
from examprotos.auth.v1 import keys_pb2, keys_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

FAR = Timestamp(seconds=9_000_000_000)


class FakeAuth(keys_pb2_grpc.KeysServicer):
    """Serves what a test puts in, in pages; fails when told to, or once at the page that it `breaks_at`."""

    def __init__(self, signer: Any) -> None:
        self.signers = [signer]
        self.revocations: list[keys_pb2.Revocation] = []
        self.fails = False
        self.page = 100
        self.breaks_at = ""
        self.key_calls = 0
        self.cursors: list[str] = []

    async def GetJwks(self, request: Any, context: Any) -> keys_pb2.GetJwksResponse:
        self.key_calls += 1
        if self.fails:
            raise RuntimeError("auth is ill")
        document = {"keys": [signer.jwk for signer in self.signers]}
        return keys_pb2.GetJwksResponse(jwks_json=json.dumps(document).encode())

    async def ListRevocations(self, request: Any, context: Any) -> keys_pb2.ListRevocationsResponse:
        self.cursors.append(request.cursor)
        if self.fails:
            raise RuntimeError("auth is ill")
        if request.cursor and request.cursor == self.breaks_at:
            self.breaks_at = ""
            raise unavailable("auth is away")
        begin = int(request.cursor or 0)
        page = self.revocations[begin : begin + self.page]
        return keys_pb2.ListRevocationsResponse(revocations=page, cursor=str(begin + len(page)))
