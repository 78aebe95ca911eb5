"""Managing people: list, create, change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

from examkit.db import retry_deadlocks, violated_constraint
from examkit.errors import FieldError, invalid, not_found
from examkit.ids import uuid7
from examkit.paging import decode, encode, limit_of
from examkit.principal import Principal
from sqlalchemy.exc import IntegrityError

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
from auth_service.errors import email_taken, last_admin, not_yourself
from auth_service.repository import credentials, users
from auth_service.repository.users import Filters
from auth_service.usecases.access import end_all_sessions, make_tokens_stale
from auth_service.usecases.unit import Auth, Unit

A = TypeVar("A")
T = TypeVar("T")

_NO_GROUPS: tuple[str, ...] = ()
MOST_NAMES = 1000
MOST_COUNTED = 100_000
QUERY_CHARACTERS = 320


@dataclass(frozen=True)
class NewUser:
    email: str
    name: str
    role: Role
    groups: tuple[str, ...]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Change:
    """What of a person is to change; None leaves it as it is."""

    name: str | None = None
    email: str | None = None
    role: Role | None = None
    groups: tuple[str, ...] | None = None
    active: bool | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def may_take_an_admin(self) -> bool:
        return self.active is False or self.role not in (None, Role.ADMIN)


class _Checks:
    """Applies rules to fields and collects what is wrong, to be told all at once."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def take(self, name: str, rule: Callable[[A], T], value: A, fallback: T) -> T:
        """The cleaned value; the fallback where the rule refuses it, and `done` will raise."""
        try:
            return rule(value)
        except RuleError as broken:
            self._errors.append(FieldError((name,), str(broken)))
            return fallback

    def done(self) -> None:
        if self._errors:
            raise invalid(self._errors[0].msg, *self._errors)


async def get_user(auth: Auth, user_id: UUID) -> User:
    """Raises not_found."""
    async with auth.db.reading() as conn:
        user = await users.get(conn, user_id)
    if user is None:
        raise not_found("There is no such user.")
    return user


async def get_many(auth: Auth, user_ids: Sequence[UUID]) -> list[User]:
    async with auth.db.reading() as conn:
        return await users.get_many(conn, user_ids)


async def find_by_email(auth: Auth, emails: Collection[str]) -> dict[str, User]:
    """Whose addresses these are, by the address as it was asked for."""
    keys = {email: email_key(email) for email in emails}
    async with auth.db.reading() as conn:
        found = await users.find_by_keys(conn, set(keys.values()))
    return {email: found[key] for email, key in keys.items() if key in found}


async def count_students(auth: Auth, *, everybody: bool, groups: Sequence[str], ids: Sequence[UUID]) -> int:
    """Active students: all, or those of these groups and these ids together."""
    async with auth.db.reading() as conn:
        return await users.count_students(conn, everybody=everybody, groups=groups, ids=ids)


async def list_users(auth: Auth, filters: Filters, cursor: str, limit: int) -> tuple[list[User], str]:
    """A page of people in the order of their addresses, and the cursor of the next one ("" at the end)."""
    for name, text in (("q", filters.q), ("group", filters.group), ("cursor", cursor)):
        if "\0" in text or len(text) > 2 * QUERY_CHARACTERS:
            raise invalid("This can't be searched for.", FieldError((name,), "This can't be searched for."))
    after = decode(cursor, 1)
    if after is not None and "\0" in after[0]:
        raise invalid("The cursor is not one of this list.")
    size = limit_of(limit)
    async with auth.db.reading() as conn:
        found = await users.page(conn, filters, after[0] if after else None, size + 1)
    shown = found[:size]
    return shown, encode(email_key(shown[-1].email)) if len(found) > size else ""


async def create_user(auth: Auth, wanted: NewUser, *, actor_id: UUID | None = None) -> User:
    """Raises email_taken, invalid."""
    checks = _Checks()
    email = checks.take("email", clean_email, wanted.email, "")
    name = checks.take("name", clean_name, wanted.name, "")
    groups = checks.take("groups", clean_groups, wanted.groups, _NO_GROUPS)
    if wanted.password is not None:
        checks.take("password", lambda password: check_password(password, email), wanted.password, "")
    checks.done()
    stored = None if wanted.password is None else await auth.hashing.hash(wanted.password)
    return await _create(auth, replace(wanted, email=email, name=name, groups=groups), stored, actor_id)


@retry_deadlocks
async def _create(auth: Auth, wanted: NewUser, stored: str | None, actor_id: UUID | None) -> User:
    async with auth.changing(actor_id=actor_id) as unit:
        user = User(
            uuid7(),
            wanted.email,
            wanted.name,
            wanted.role,
            wanted.groups,
            True,
            1,
            unit.now,
            stored is not None,
        )
        if not await users.insert(unit.conn, [user]):
            raise email_taken()
        if stored is not None:
            await credentials.put(unit.conn, {user.id: stored}, unit.now)
        await unit.audit("user.created", "user", user.id, after=described(user))
        return user


async def update_user(auth: Auth, actor: Principal, user_id: UUID, change: Change) -> User:
    """The person as changed. Raises not_found, email_taken, invalid, last_admin (409).

    Deactivation and a new password end all sessions; a new role or new groups only make tokens stale.
    """
    known = await get_user(auth, user_id)
    checks = _Checks()
    change = replace(
        change,
        email=None if change.email is None else checks.take("email", clean_email, change.email, ""),
        name=None if change.name is None else checks.take("name", clean_name, change.name, ""),
        groups=None
        if change.groups is None
        else checks.take("groups", clean_groups, change.groups, _NO_GROUPS),
    )
    if change.password is not None:
        email = change.email or known.email
        checks.take("password", lambda password: check_password(password, email), change.password, "")
    checks.done()
    stored = None if change.password is None else await auth.hashing.hash(change.password)
    try:
        return await _update(auth, actor, user_id, change, stored)
    except IntegrityError as error:
        if violated_constraint(error) == "users_email_key_key":
            raise email_taken() from None
        raise


@retry_deadlocks
async def _update(auth: Auth, actor: Principal, user_id: UUID, change: Change, stored: str | None) -> User:
    async with auth.changing() as unit:
        if change.may_take_an_admin:
            await users.lock_admins(unit.conn)
        before = await users.get(unit.conn, user_id, lock="update")
        if before is None:
            raise not_found("There is no such user.")
        after = _changed(before, change)
        await _keep_an_admin(unit, actor, before, after)
        columns = _columns(before, after)
        if columns:
            await users.update(unit.conn, user_id, columns, unit.now)
        if stored is not None:
            await credentials.put(unit.conn, {user_id: stored}, unit.now)
            after = replace(after, has_password=True)
        if stored is not None or after.email != before.email:
            await credentials.drop_link(unit.conn, user_id)
        after = await _end_access(unit, before, after, new_password=stored is not None)
        await _audit_update(unit, before, after, columns, new_password=stored is not None)
        return after


def _changed(user: User, change: Change) -> User:
    return replace(
        user,
        name=user.name if change.name is None else change.name,
        email=user.email if change.email is None else change.email,
        role=user.role if change.role is None else change.role,
        groups=user.groups if change.groups is None else change.groups,
        active=user.active if change.active is None else change.active,
    )


async def _keep_an_admin(unit: Unit, actor: Principal, before: User, after: User) -> None:
    if not before.is_active_admin or after.is_active_admin:
        return
    if before.id == actor.user_id:
        raise not_yourself("active" if not after.active else "role")
    if await users.other_active_admins(unit.conn, before.id) == 0:
        raise last_admin()


async def _end_access(unit: Unit, before: User, after: User, *, new_password: bool) -> User:
    if before.active and not after.active:
        return await end_all_sessions(unit, after, "deactivated")
    if new_password:
        return await end_all_sessions(unit, after, "password_changed")
    if after.role is not before.role or after.groups != before.groups:
        return await make_tokens_stale(unit, after)
    return after


def _columns(before: User, after: User) -> dict[str, Any]:
    """The columns that differ."""
    columns: dict[str, Any] = {}
    if after.email != before.email:
        columns |= {"email": after.email, "email_key": email_key(after.email)}
    if after.name != before.name:
        columns["name"] = after.name
    if after.role is not before.role:
        columns["role"] = after.role.value
    if after.groups != before.groups:
        columns["groups"] = list(after.groups)
    if after.active != before.active:
        columns["active"] = after.active
    return columns


async def _audit_update(
    unit: Unit, before: User, after: User, columns: dict[str, Any], *, new_password: bool
) -> None:
    shown = [name for name in columns if name != "email_key"]
    if shown:
        old, new = described(before), described(after)
        action = "user.updated"
        if shown == ["active"]:
            action = "user.reactivated" if after.active else "user.deactivated"
        await unit.audit(
            action,
            "user",
            after.id,
            before={name: old[name] for name in shown},
            after={name: new[name] for name in shown},
        )
    if new_password:
        await unit.audit("password.reset", "user", after.id)


def described(user: User) -> dict[str, Any]:
    """A person in the audit trail."""
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "groups": list(user.groups),
        "active": user.active,
    }
