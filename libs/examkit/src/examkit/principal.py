"""Who makes a request, as a verified access token tells it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Principal:
    """A signed-in person. `expires_at` is in Unix seconds; `token_version` grows at each change of rights."""

    user_id: UUID
    role: str
    groups: frozenset[str]
    session_id: UUID
    token_version: int
    expires_at: float

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def is_student(self) -> bool:
        return self.role == "student"
