"""UserAdmin: managing people, for the staff surface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from examkit.errors import AppError, FieldError, invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_user
from examprotos.auth.v1 import user_admin_pb2 as pb
from examprotos.auth.v1 import users_pb2
from examprotos.auth.v1.user_admin_pb2_grpc import UserAdminServicer as Base

from auth_service.domain.accounts import Role
from auth_service.repository.users import Filters
from auth_service.rpc.translate import role_of, user_message
from auth_service.usecases import users
from auth_service.usecases.passwords import create_link
from auth_service.usecases.unit import Auth


class UserAdminServicer(Base):
    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    async def ListUsers(self, request: pb.ListUsersRequest, context: Any) -> pb.ListUsersResponse:
        filters = Filters(
            q=request.q.strip(),
            role=_known_role(request.role),
            group=request.group.strip(),
            active=request.active if request.HasField("active") else None,
        )
        items, cursor = await users.list_users(self._auth, filters, request.cursor, request.limit)
        return pb.ListUsersResponse(items=map(user_message, items), next_cursor=cursor)

    async def GetUser(self, request: pb.GetUserRequest, context: Any) -> users_pb2.User:
        return user_message(await users.get_user(self._auth, parse_uuid(request.id, "user")))

    async def CreateUser(self, request: pb.CreateUserRequest, context: Any) -> users_pb2.User:
        wanted = users.NewUser(
            email=request.email,
            name=request.name,
            role=_known_role(request.role) or Role.STUDENT,
            groups=tuple(request.groups),
            password=request.password if request.HasField("password") else None,
        )
        return user_message(await users.create_user(self._auth, wanted))

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Any) -> users_pb2.User:
        change = users.Change(
            name=request.name if request.HasField("name") else None,
            email=request.email if request.HasField("email") else None,
            role=_known_role(request.role) if request.HasField("role") else None,
            groups=tuple(request.groups.names) if request.HasField("groups") else None,
            active=request.active if request.HasField("active") else None,
            password=request.password if request.HasField("password") else None,
        )
        user_id = parse_uuid(request.id, "user")
        return user_message(await users.update_user(self._auth, current_user(), user_id, change))

    async def BatchGetUsers(self, request: pb.BatchGetUsersRequest, context: Any) -> pb.BatchGetUsersResponse:
        if len(request.ids) > users.MOST_NAMES:
            raise invalid(f"At most {users.MOST_NAMES} ids at a time.")
        found = await users.get_many(self._auth, list(_ids(request.ids)))
        return pb.BatchGetUsersResponse(items=map(user_message, found))

    async def FindUsers(self, request: pb.FindUsersRequest, context: Any) -> pb.FindUsersResponse:
        if len(request.emails) > users.MOST_NAMES:
            raise invalid(f"At most {users.MOST_NAMES} addresses at a time.")
        found = await users.find_by_email(self._auth, [one for one in request.emails if "\0" not in one])
        return pb.FindUsersResponse(
            items=[pb.FoundUser(email=email, user=user_message(user)) for email, user in found.items()]
        )

    async def CountStudents(self, request: pb.CountStudentsRequest, context: Any) -> pb.CountStudentsResponse:
        if len(request.ids) > users.MOST_COUNTED:
            raise invalid(f"At most {users.MOST_COUNTED} ids at a time.")
        count = await users.count_students(
            self._auth, everybody=request.all, groups=list(request.groups), ids=list(_ids(request.ids))
        )
        return pb.CountStudentsResponse(count=count)

    async def CreatePasswordLink(
        self, request: pb.CreatePasswordLinkRequest, context: Any
    ) -> pb.PasswordLink:
        link = await create_link(self._auth, parse_uuid(request.user_id, "user"))
        message = pb.PasswordLink(token=link.token)
        message.expires_at.FromDatetime(link.expires_at)
        return message


def _known_role(number: users_pb2.Role.ValueType) -> Role | None:
    """None where no role was named. Raises invalid for one that doesn't exist."""
    role = role_of(number)
    if role is None and number != users_pb2.ROLE_UNSPECIFIED:
        raise invalid("There is no such role.", FieldError(("role",), "There is no such role."))
    return role


def _ids(texts: Iterable[str]) -> Iterable[UUID]:
    for text in texts:
        try:
            yield parse_uuid(text)
        except AppError:
            continue  # what is no id names nobody
