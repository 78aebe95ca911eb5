"""Managing people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from examkit.errors import FieldError, invalid
from examkit.rpc.client import call
from examprotos.auth.v1 import user_admin_pb2, users_pb2
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from exam_gateway.auth.shapes import ROLE_NAMES, Email, Password, Role
from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import LEFT_OUT, Cursor, Flag, Id, In, Limit, Out, Patch, Short
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff
from exam_gateway.wire import page_limit, when

ROLES = {name: number for number, name in ROLE_NAMES.items()}
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]
Groups = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100, examples=[["class-a"]])
]

router = APIRouter(prefix="/api/v1/admin/users", tags=["people"], route_class=StaffRoute)


class NewUser(In):
    email: Email
    name: Name
    role: Role = "student"
    groups: Groups = Field(default_factory=list)
    password: Password | None = Field(default=None, description="Without one: make a password link.")


class UserPatch(Patch):
    """What is left out stays."""

    name: Name = Field(default=LEFT_OUT)
    email: Email = Field(default=LEFT_OUT)
    role: Role = Field(default=LEFT_OUT)
    groups: Groups = Field(default=LEFT_OUT)
    active: Flag = Field(default=LEFT_OUT)
    password: Password = Field(default=LEFT_OUT)


class User(Out):
    id: UUID
    email: str = Field(examples=["student001@example.com"])
    name: str
    role: Role
    groups: list[str]
    active: bool
    has_password: bool
    created_at: AwareDatetime


class Users(Out):
    items: list[User]
    next_cursor: str | None


class PasswordLink(Out):
    token: str = Field(description="For POST /auth/password/set; works once.")
    expires_at: AwareDatetime


def _user(found: users_pb2.User) -> User:
    return User(
        id=UUID(found.id),
        email=found.email,
        name=found.name,
        role=ROLE_NAMES[found.role],
        groups=list(found.groups),
        active=found.active,
        has_password=found.has_password,
        created_at=when(found.created_at),
    )


@router.get("", operation_id="list_users", summary="All people")
async def list_users(
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
    q: Annotated[Short, Query(description="Part of a name or e-mail address.")] = "",
    role: Annotated[Role | None, Query()] = None,
    group: Annotated[Short, Query()] = "",
    active: Annotated[bool | None, Query()] = None,
) -> Users:
    request = user_admin_pb2.ListUsersRequest(
        limit=page_limit(limit), cursor=cursor, q=q, group=group, active=active
    )
    if role is not None:
        request.role = ROLES[role]  # type: ignore[assignment]  # an enum's number
    found = await call(staff.users.ListUsers, request, timeout=READ_SECONDS, idempotent=True)
    return Users(items=[_user(user) for user in found.items], next_cursor=found.next_cursor or None)


@router.post(
    "", operation_id="create_user", summary="Add a person", status_code=201, responses=failures("email_taken")
)
async def create_user(body: NewUser, staff: Staff) -> User:
    request = user_admin_pb2.CreateUserRequest(
        email=body.email,
        name=body.name,
        role=ROLES[body.role],  # type: ignore[arg-type]  # an enum's number
        groups=body.groups,
        password=body.password,
    )
    return _user(await call(staff.users.CreateUser, request, timeout=WRITE_SECONDS))


@router.get("/{user_id}", operation_id="get_user", summary="A person", responses=failures("not_found"))
async def get_user(user_id: Id, staff: Staff) -> User:
    request = user_admin_pb2.GetUserRequest(id=str(user_id))
    return _user(await call(staff.users.GetUser, request, timeout=READ_SECONDS, idempotent=True))


@router.patch(
    "/{user_id}",
    operation_id="update_user",
    summary="Change a person",
    responses=failures("not_found", "email_taken"),
)
async def update_user(user_id: Id, body: UserPatch, staff: Staff) -> User:
    """Deactivate, set role and groups, reset the password. Older access tokens end within seconds."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    if not given:
        raise invalid("Nothing to change.", FieldError(("body",), "must name at least one field"))
    request = user_admin_pb2.UpdateUserRequest(id=str(user_id))
    for name in ("name", "email", "active", "password"):
        if name in given:
            setattr(request, name, given[name])
    if "role" in given:
        request.role = ROLES[given["role"]]  # type: ignore[assignment]  # an enum's number
    if "groups" in given:
        request.groups.SetInParent()
        request.groups.names.extend(given["groups"])
    return _user(await call(staff.users.UpdateUser, request, timeout=WRITE_SECONDS))


@router.post(
    "/{user_id}/password-link",
    operation_id="create_password_link",
    summary="Make a link to set a password",
    status_code=201,
    responses=failures("not_found"),
)
async def create_password_link(user_id: Id, staff: Staff) -> PasswordLink:
    """Earlier ones of the same person end."""
    request = user_admin_pb2.CreatePasswordLinkRequest(user_id=str(user_id))
    link = await call(staff.users.CreatePasswordLink, request, timeout=WRITE_SECONDS)
    return PasswordLink(token=link.token, expires_at=when(link.expires_at))
