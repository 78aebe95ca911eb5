"""Names for ids, from auth, by batch. Without auth there are ids only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from examkit.errors import AppError, Kind, not_found
from examkit.rpc.client import call
from examprotos.auth.v1 import user_admin_pb2, users_pb2

if TYPE_CHECKING:
    from exam_gateway.staff.backend import StaffBackend

SECONDS = 2.0
AT_ONCE = 1_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Person:
    name: str | None = None
    email: str | None = None


NOBODY = Person()


async def must_be_student(staff: StaffBackend, student_id: UUID) -> None:
    """Raises not_found where auth knows of no such student; while auth is away the id is taken as it is."""
    request = user_admin_pb2.GetUserRequest(id=str(student_id))
    try:
        user = await call(staff.users.GetUser, request, timeout=SECONDS, idempotent=True)
    except AppError as error:
        if error.kind is not Kind.UNAVAILABLE:
            raise
        log.warning("student_not_looked_up", code=error.code)
        return
    if user.role != users_pb2.ROLE_STUDENT:
        raise not_found("There is no such student.")


async def people(staff: StaffBackend, ids: Iterable[str]) -> Mapping[str, Person]:
    """The people of these ids who are known; empty while auth is away."""
    wanted = sorted({one for one in ids if one})
    found: dict[str, Person] = {}
    try:
        for start in range(0, len(wanted), AT_ONCE):
            request = user_admin_pb2.BatchGetUsersRequest(ids=wanted[start : start + AT_ONCE])
            response = await call(staff.users.BatchGetUsers, request, timeout=SECONDS, idempotent=True)
            found |= {user.id: Person(user.name, user.email) for user in response.items}
    except AppError as error:
        log.warning("names_not_joined", code=error.code)
    return found
