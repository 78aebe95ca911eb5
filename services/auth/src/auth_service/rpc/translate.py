"""Between protobuf and the words of the domain."""

from __future__ import annotations

from examprotos.auth.v1 import identity_pb2, users_pb2

from auth_service.domain.accounts import Role, User
from auth_service.usecases.access import Grant

_ROLES = {
    users_pb2.ROLE_ADMIN: Role.ADMIN,
    users_pb2.ROLE_STUDENT: Role.STUDENT,
    users_pb2.ROLE_MARKER: Role.MARKER,
    users_pb2.ROLE_INVIGILATOR: Role.INVIGILATOR,
}
_NUMBERS = {role: number for number, role in _ROLES.items()}


def role_of(number: users_pb2.Role.ValueType) -> Role | None:
    """None for ROLE_UNSPECIFIED, and for roles that this version doesn't know."""
    return _ROLES.get(number)


def user_message(user: User) -> users_pb2.User:
    message = users_pb2.User(
        id=str(user.id),
        email=user.email,
        name=user.name,
        role=_NUMBERS[user.role],
        groups=user.groups,
        active=user.active,
        has_password=user.has_password,
    )
    message.created_at.FromDatetime(user.created_at)
    return message


def session_message(grant: Grant) -> identity_pb2.Session:
    return identity_pb2.Session(
        access_token=grant.access_token,
        expires_in=grant.expires_in,
        refresh_token=grant.refresh_token,
        refresh_expires_in=grant.refresh_expires_in,
        user=user_message(grant.user),
    )
