"""What this process hears of other replicas: revocations, by event and by polling beside it."""

from __future__ import annotations

from examkit.events import Delivery
from examprotos.auth.v1 import events_pb2

from auth_service.revocation_messages import to_message
from auth_service.usecases.revoking import list_revocations
from auth_service.usecases.unit import Auth


class RevocationFollower:
    """Keeps this process's revocations in step with the table."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._cursor = ""
        self.caught_up = False

    def hear(self, delivery: Delivery) -> None:
        """An `access.revoked` event, ahead of the next poll."""
        self._auth.revocations.apply(delivery.parse(events_pb2.AccessRevoked).revocation)

    async def poll(self) -> None:
        """Everything at first, then what is new. Raises unavailable without Postgres."""
        while True:
            entries, self._cursor = await list_revocations(self._auth, self._cursor)
            for entry in entries:
                self._auth.revocations.apply(to_message(entry))
            if not entries:
                break
        self.caught_up = True
        self._auth.revocations.forget_expired(self._auth.clock().timestamp())
