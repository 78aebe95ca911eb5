"""Bodies of logging in and of the own account."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from examprotos.auth.v1 import identity_pb2, users_pb2
from pydantic import ConfigDict, Field

from exam_gateway.shapes import In, Out

Role = Literal["admin", "student", "marker", "invigilator"]
ROLE_NAMES: dict[int, Role] = {
    users_pb2.ROLE_ADMIN: "admin",
    users_pb2.ROLE_STUDENT: "student",
    users_pb2.ROLE_MARKER: "marker",
    users_pb2.ROLE_INVIGILATOR: "invigilator",
}
Email = Annotated[str, Field(min_length=1, max_length=320, examples=["student001@example.com"])]
Password = Annotated[str, Field(min_length=1, max_length=1024, examples=["demo-student-password"])]


class Login(In):
    email: Email
    password: Password


class PasswordChange(In):
    current_password: Password
    new_password: Password


class PasswordByLink(In):
    token: Annotated[str, Field(min_length=1, max_length=512, examples=["q2V0LWEtcGFzc3dvcmQ"])]
    new_password: Password


class Me(Out):
    id: UUID
    email: str = Field(examples=["student001@example.com"])
    name: str = Field(examples=["Student 001"])
    role: Role
    groups: list[str] = Field(examples=[["class-a"]])


class Session(Out):
    """The refresh token is in an HttpOnly cookie, never in a body."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    access_token: str = Field(examples=["eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl"])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a kind, not a secret
    expires_in: int = Field(description="Seconds.", examples=[1800])
    user: Me


def me(user: users_pb2.User) -> Me:
    return Me(
        id=UUID(user.id),
        email=user.email,
        name=user.name,
        role=ROLE_NAMES[user.role],
        groups=list(user.groups),
    )


def session(message: identity_pb2.Session) -> Session:
    return Session(access_token=message.access_token, expires_in=message.expires_in, user=me(message.user))
