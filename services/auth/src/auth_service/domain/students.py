"""What a chunk of imported rows does to the accounts: judged as a whole before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from auth_service.domain.accounts import (
    Role,
    RuleError,
    User,
    check_password,
    clean_email,
    clean_groups,
    clean_name,
    email_key,
)

A = TypeVar("A")
T = TypeVar("T")


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class StudentRow:
    """A row of a user workbook; `row` is its number there."""

    row: int
    email: str
    name: str
    groups: tuple[str, ...]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Judged:
    """What becomes of one row; the last three say why, for a rejected one."""

    row: int
    outcome: Outcome
    code: str = ""
    column: str = ""
    message: str = ""


@dataclass(frozen=True)
class NewStudent:
    email: str
    name: str
    groups: tuple[str, ...]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ChangedStudent:
    """An existing student whose name or groups follow a row."""

    before: User
    name: str
    groups: tuple[str, ...]

    @property
    def groups_changed(self) -> bool:
        return self.groups != self.before.groups


@dataclass(frozen=True)
class Plan:
    """What is to be written, by e-mail key and by user, and the verdict on each row."""

    judged: list[Judged]
    created: dict[str, NewStudent]
    changed: dict[UUID, ChangedStudent]


class _RefusedError(Exception):
    def __init__(self, column: str, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.column, self.message, self.code = column, message, code


def key_of(row: StudentRow) -> str | None:
    """The e-mail key of a row; None where it is no address."""
    try:
        return email_key(clean_email(row.email))
    except RuleError:
        return None


def plan(rows: Iterable[StudentRow], existing: Mapping[str, User]) -> Plan:
    """Judge each row against the accounts (by e-mail key) and the rows before it.

    An existing student keeps role and password; the name follows the row, groups are added, never taken.
    """
    made = Plan([], {}, {})
    for row in rows:
        try:
            made.judged.append(Judged(row.row, _apply(row, existing, made)))
        except _RefusedError as refused:
            verdict = Judged(row.row, Outcome.REJECTED, refused.code, refused.column, refused.message)
            made.judged.append(verdict)
    return made


def _apply(row: StudentRow, existing: Mapping[str, User], made: Plan) -> Outcome:
    email = _take("email", clean_email, row.email)
    name = _take("name", clean_name, row.name)
    groups = _take("groups", clean_groups, row.groups)
    if row.password is not None:
        password = row.password
        _take("password", lambda text: check_password(text, email), password)
    key = email_key(email)
    if key in made.created:
        return _follow_new(key, name, groups, made)
    if key in existing:
        return _follow_existing(existing[key], name, groups, made)
    made.created[key] = NewStudent(email, name, groups, row.password)
    return Outcome.CREATED


def _follow_new(key: str, name: str, groups: tuple[str, ...], made: Plan) -> Outcome:
    before = made.created[key]
    after = replace(before, name=name, groups=_joined(before.groups, groups))
    made.created[key] = after
    return Outcome.UNCHANGED if after == before else Outcome.UPDATED


def _follow_existing(user: User, name: str, groups: tuple[str, ...], made: Plan) -> Outcome:
    if user.role is not Role.STUDENT:
        message = "This address belongs to a member of staff. Remove the row, or use another address."
        raise _RefusedError("email", message, "not_a_student")
    before = made.changed.get(user.id, ChangedStudent(user, user.name, user.groups))
    after = replace(before, name=name, groups=_joined(before.groups, groups))
    if after == before:
        return Outcome.UNCHANGED
    made.changed[user.id] = after
    return Outcome.UPDATED


def _joined(present: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    return _take("groups", clean_groups, (*present, *added)) if set(added) - set(present) else present


def _take(column: str, rule: Callable[[A], T], value: A) -> T:
    try:
        return rule(value)
    except RuleError as broken:
        raise _RefusedError(column, str(broken)) from None
