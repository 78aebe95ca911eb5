"""What access tokens are no longer good for: sessions that ended, users whose rights changed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from examprotos.auth.v1 import keys_pb2

from examkit.principal import Principal

DEFAULT_CODE = "unauthenticated"


@dataclass(frozen=True, slots=True)
class _Ended:
    code: str
    min_token_version: int
    expires_at: float


class Revocations:
    """Every revocation still in force, in memory. Applying one twice, or out of order, changes nothing."""

    def __init__(self) -> None:
        self._sessions: dict[UUID, _Ended] = {}
        self._users: dict[UUID, dict[str, _Ended]] = {}

    def __len__(self) -> int:
        return len(self._sessions) + len(self._users)

    def revoke_session(self, session_id: UUID, *, expires_at: float, code: str = DEFAULT_CODE) -> None:
        """Ends every token of a session family; after `expires_at` (Unix seconds) none is alive anyway."""
        known = self._sessions.get(session_id)
        later = max(expires_at, known.expires_at if known else 0.0)
        kept_code = DEFAULT_CODE if known and known.code == DEFAULT_CODE else code
        self._sessions[session_id] = _Ended(kept_code, 0, later)

    def revoke_user(
        self, user_id: UUID, min_token_version: int, *, expires_at: float, code: str = DEFAULT_CODE
    ) -> None:
        """Ends the tokens of a user with a version below `min_token_version`."""
        by_code = self._users.setdefault(user_id, {})
        known = by_code.get(code)
        if known is not None:
            min_token_version = max(min_token_version, known.min_token_version)
            expires_at = max(expires_at, known.expires_at)
        by_code[code] = _Ended(code, min_token_version, expires_at)

    def apply(self, message: keys_pb2.Revocation) -> None:
        """Takes in a revocation as auth sends it. Raises ValueError where its ids are no UUIDs."""
        expires_at = message.expires_at.seconds + message.expires_at.nanos / 1e9
        code = message.code or DEFAULT_CODE
        match message.WhichOneof("subject"):
            case "session_id":
                self.revoke_session(UUID(message.session_id), expires_at=expires_at, code=code)
            case "user":
                user = message.user
                self.revoke_user(UUID(user.user_id), user.min_token_version, expires_at=expires_at, code=code)

    def reason(self, principal: Principal) -> str | None:
        """The code of the 401 that this token gets; None while it is good."""
        ended = self._sessions.get(principal.session_id)
        if ended is not None:
            return ended.code
        by_code = self._users.get(principal.user_id)
        if by_code is None:
            return None
        codes = {e.code for e in by_code.values() if principal.token_version < e.min_token_version}
        # A plain end goes before "refresh and go on".
        return DEFAULT_CODE if DEFAULT_CODE in codes else next(iter(codes), None)

    def forget_expired(self, now: float) -> None:
        """Drops what concerns no living token any more. `now` in Unix seconds."""
        self._sessions = {key: ended for key, ended in self._sessions.items() if ended.expires_at > now}
        kept = {
            user: {code: ended for code, ended in by_code.items() if ended.expires_at > now}
            for user, by_code in self._users.items()
        }
        self._users = {user: by_code for user, by_code in kept.items() if by_code}
