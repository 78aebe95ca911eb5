"""On whose behalf a use case acts, for the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from examkit.audit import AuditEntry


@dataclass(frozen=True)
class Actor:
    """A person (`kind` user, `id` theirs) or the system itself (`kind` service)."""

    id: str | None
    kind: str = "user"
    request_id: str | None = None

    def did(
        self,
        action: str,
        object_type: str,
        object_id: UUID | str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reason: str | None = None,
    ) -> AuditEntry:
        """The entry for what this actor did."""
        return AuditEntry(
            actor_id=self.id,
            actor_kind=self.kind,
            action=action,
            object_type=object_type,
            object_id=object_id,
            before=before,
            after=after,
            reason=reason,
            request_id=self.request_id,
        )


SYSTEM = Actor(id=None, kind="service")
