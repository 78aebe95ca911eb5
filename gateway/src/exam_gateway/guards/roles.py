"""Who may pass where: what of staff's surface is for others than admins. Services judge it again."""

from __future__ import annotations

from collections.abc import Mapping

STUDENT_ONLY = frozenset({"student"})
_ADMIN_ONLY = frozenset({"admin"})
_ROOM = frozenset({"admin", "invigilator"})

# By operation id; what is not listed is for admins alone. An invigilator sees no question, key or answer.
STAFF_OPERATIONS: Mapping[str, frozenset[str]] = {
    "list_exams": _ROOM,
    "get_own_accommodation": _ROOM,
    "get_accommodation": _ROOM,
    "extend_attempt": _ROOM,
    "pause_attempt": _ROOM,
    "resume_attempt": _ROOM,
    # Taken back by an admin alone: reopening gives time to somebody who may have seen a result.
    "void_attempt": _ROOM,
}


def staff_roles(operation_id: str | None) -> frozenset[str]:
    """The roles that a route of staff's surface is for."""
    return STAFF_OPERATIONS.get(operation_id or "", _ADMIN_ONLY)
