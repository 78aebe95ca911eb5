"""What every process knows from auth: the keys that sign tokens, and which tokens ended before their time."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable

import grpc
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from examprotos.auth.v1 import events_pb2, keys_pb2, keys_pb2_grpc

from examkit.clock import Clock, utc_now
from examkit.errors import AppError, unavailable
from examkit.principal import Principal
from examkit.revocations import Revocations
from examkit.rpc.client import call
from examkit.tokens import public_keys

CALL_SECONDS = 3.0
LOAD_SECONDS = 15.0
"""For a page of the first load, when auth may be asked by everyone at once."""

log = structlog.get_logger(__name__)

__all__ = ["KeyDirectory", "Revocations"]


class KeyDirectory:
    """Keys and revocations, fetched from auth and kept fresh. A worker: `run()` until cancelled.

    It starts without auth too, and keeps what it knows while auth is away; `ready` says whether it
    has ever heard from it. Give `directory` and `directory.revocations` to a TokenVerifier.
    """

    name = "key-directory"

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        clock: Clock = utc_now,
        poll_seconds: float = 5.0,
        jwks_seconds: float = 60.0,
        unknown_key_seconds: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._auth = keys_pb2_grpc.KeysStub(channel)
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._jwks_seconds = jwks_seconds
        self._unknown_key_seconds = unknown_key_seconds
        self._monotonic = monotonic
        self.revocations = Revocations()
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._cursor = ""
        self._revocations_known = False
        self._keys_due = float("-inf")
        self._lookup_due = float("-inf")
        self._lookup: asyncio.Task[bool] | None = None
        self._lookup_failed = False

    @property
    def ready(self) -> bool:
        """Whether tokens can be judged: keys and revocations have been loaded once."""
        return bool(self._keys) and self._revocations_known

    async def run(self) -> None:
        """Loads, then polls for good: revocations each time, keys when they are due."""
        while True:
            if self._monotonic() >= self._keys_due:
                await self._refresh_keys()
            await self._poll_revocations()
            self.revocations.forget_expired(self._clock().timestamp())
            # Until auth has been heard, ask soon again: readiness waits for it.
            await asyncio.sleep(self._poll_seconds if self.ready else min(0.5, self._poll_seconds))

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """The key of that id; an unknown one is asked for, at most every 10 s. None: auth has no such key.

        Raises unavailable where auth could not be asked.
        """
        known = self._keys.get(kid)
        if known is not None:
            return known
        if self._lookup is None and self._monotonic() >= self._lookup_due:
            self._lookup_due = self._monotonic() + self._unknown_key_seconds
            # In a task and a context of its own: others wait for it too, and the caller may go away.
            self._lookup = asyncio.get_running_loop().create_task(
                self._refresh_keys(), context=contextvars.Context()
            )
            self._lookup.add_done_callback(self._lookup_done)
        if self._lookup is not None:
            await asyncio.shield(self._lookup)
        known = self._keys.get(kid)
        if known is None and (self._lookup_failed or not self._keys):
            raise unavailable("Access tokens can't be checked right now.")
        return known

    def apply(self, message: events_pb2.AccessRevoked) -> None:
        """Takes in a revocation that came as an event, ahead of the next poll."""
        self.revocations.apply(message.revocation)

    def is_revoked(self, principal: Principal) -> bool:
        """Whether a user who was let in before (on a stream) is no longer welcome."""
        return self.revocations.reason(principal) is not None

    def _lookup_done(self, task: asyncio.Task[bool]) -> None:
        self._lookup = None
        self._lookup_failed = task.cancelled() or not task.result()

    async def _refresh_keys(self) -> bool:
        try:
            response = await call(
                self._auth.GetJwks, keys_pb2.GetJwksRequest(), timeout=CALL_SECONDS, idempotent=True, token=""
            )
            keys = public_keys(response.jwks_json)
        except (AppError, ValueError) as error:
            log.warning("keys_not_refreshed", reason=str(error))
            return False
        if keys:
            self._keys = keys
            self._keys_due = self._monotonic() + self._jwks_seconds
        return bool(keys)

    async def _poll_revocations(self) -> None:
        """Page after page until an empty one. Where it breaks off, the next poll goes on from there."""
        try:
            while await self._next_page():
                pass
        except (AppError, ValueError) as error:
            log.warning("revocations_not_polled", reason=str(error))
            return
        self._revocations_known = True

    async def _next_page(self) -> bool:
        """Whether there may be another. Raises AppError, and ValueError for what can't be read."""
        response = await call(
            self._auth.ListRevocations,
            keys_pb2.ListRevocationsRequest(cursor=self._cursor),
            timeout=CALL_SECONDS if self._revocations_known else LOAD_SECONDS,
            idempotent=True,
            token="",
        )
        for revocation in response.revocations:
            self.revocations.apply(revocation)
        moved = response.cursor != self._cursor
        self._cursor = response.cursor
        return moved and bool(response.revocations)
