"""Names for ids, from auth, by batch. Without auth there are ids only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog
from examkit.errors import AppError
from examkit.rpc.client import call
from examprotos.auth.v1 import user_admin_pb2

from exam_gateway.staff.backend import StaffBackend

SECONDS = 2.0
AT_ONCE = 1_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Person:
    name: str | None = None
    email: str | None = None


NOBODY = Person()


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
