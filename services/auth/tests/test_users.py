"""Managing people: create, find, change; nobody takes the last administrator."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
import sqlalchemy as sa
from auth_service.domain.accounts import Role, User
from auth_service.repository.users import Filters
from auth_service.tables import shared, users
from auth_service.usecases.login import login
from auth_service.usecases.passwords import change_password, create_link, set_password
from auth_service.usecases.sessions import refresh
from auth_service.usecases.unit import Auth
from auth_service.usecases.users import (
    Change,
    NewUser,
    count_students,
    create_user,
    find_by_email,
    get_user,
    list_users,
    update_user,
)
from examkit.errors import AppError, Kind
from examkit.testing import FakeClock
from examkit.tokens import TokenVerifier

from .conftest import PASSWORD, MakeUser
from .test_refresh import code_of, everything


@pytest.fixture
async def admin(make_user: MakeUser) -> User:
    return await make_user("admin@example.com", role=Role.ADMIN)


async def test_create_and_read_back(auth: Auth, admin: User, acting_as) -> None:
    wanted = NewUser(" Bea@Example.com", "  Bea   B. ", Role.STUDENT, ("b", "a", "b", " "), None)
    user = await create_user(auth, wanted)
    assert (user.email, user.name, user.groups) == ("Bea@example.com", "Bea B.", ("a", "b"))
    assert not user.has_password
    assert await get_user(auth, user.id) == user


async def test_every_wrong_field_is_told_at_once(auth: Auth) -> None:
    with pytest.raises(AppError) as caught:
        await create_user(auth, NewUser("x", "\0", Role.STUDENT, ("g" * 101,), "short"))
    assert caught.value.kind is Kind.INVALID
    assert [error.loc for error in caught.value.errors] == [("email",), ("name",), ("groups",), ("password",)]


async def test_an_address_is_taken_in_any_case(
    auth: Auth, make_user: MakeUser, admin: User, acting_as
) -> None:
    user = await make_user("ada@example.com")
    assert await code_of(make_user("ADA@example.com")) == "email_taken"
    changing = update_user(auth, acting_as(admin), admin.id, Change(email="Ada@Example.com"))
    assert await code_of(changing) == "email_taken"
    await update_user(auth, acting_as(admin), user.id, Change(email="ADA@example.com"))


async def test_the_same_address_at_once_is_one_account(make_user: MakeUser) -> None:
    results = await asyncio.gather(*(make_user() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, User) for result in results) == 1
    assert {result.code for result in results if isinstance(result, AppError)} == {"email_taken"}


async def test_pages_and_filters(auth: Auth, make_user: MakeUser, admin: User, acting_as) -> None:
    for number in range(7):
        groups = ("odd",) if number % 2 else ()
        await make_user(f"student{number}@example.com", password=None, groups=groups)
    seen: list[str] = []
    cursor = ""
    while True:
        items, cursor = await list_users(auth, Filters(), cursor, 3)
        seen += [user.email for user in items]
        if not cursor:
            break
    assert seen == ["admin@example.com", *(f"student{number}@example.com" for number in range(7))]

    async def found(**filters: object) -> list[str]:
        items, _ = await list_users(auth, Filters(**filters), "", 0)  # type: ignore[arg-type]
        return [user.email.partition("@")[0] for user in items]

    assert await found(group="odd") == ["student1", "student3", "student5"]
    assert await found(role=Role.ADMIN) == ["admin"]
    assert await found(q="STUDENT3") == ["student3"]
    assert await found(q="%") == []
    assert await found(q="t_d") == []
    (target,) = (await list_users(auth, Filters(q="student6"), "", 0))[0]
    await update_user(auth, acting_as(admin), target.id, Change(active=False))
    assert await found(active=False) == ["student6"]
    assert await code_of(list_users(auth, Filters(), "nonsense", 0)) == "invalid"
    assert await code_of(list_users(auth, Filters(q="\0"), "", 0)) == "invalid"


async def test_deactivation_ends_everything(
    auth: Auth, make_user: MakeUser, admin: User, acting_as, verifier: TokenVerifier
) -> None:
    user = await make_user()
    granted = await login(auth, user.email, PASSWORD, "")
    await update_user(auth, acting_as(admin), user.id, Change(active=False))
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"
    assert await code_of(refresh(auth, granted.refresh_token)) == "unauthenticated"
    assert await code_of(login(auth, user.email, PASSWORD, "")) == "invalid_credentials"
    await update_user(auth, acting_as(admin), user.id, Change(active=True))
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"
    assert await code_of(refresh(auth, granted.refresh_token)) == "unauthenticated"
    await login(auth, user.email, PASSWORD, "")


@pytest.mark.parametrize("change", [Change(groups=("new",)), Change(role=Role.ADMIN)])
async def test_new_rights_make_tokens_stale_and_a_refresh_brings_fresh_ones(
    auth: Auth, make_user: MakeUser, admin: User, acting_as, verifier: TokenVerifier, change: Change
) -> None:
    user = await make_user()
    granted = await login(auth, user.email, PASSWORD, "")
    changed = await update_user(auth, acting_as(admin), user.id, change)
    assert await code_of(verifier.verify(granted.access_token)) == "token_expired"
    principal = await verifier.verify((await refresh(auth, granted.refresh_token)).access_token)
    assert (principal.role, principal.groups) == (changed.role.value, set(changed.groups))


async def test_a_new_name_ends_nothing(
    auth: Auth, make_user: MakeUser, admin: User, acting_as, verifier: TokenVerifier
) -> None:
    user = await make_user()
    granted = await login(auth, user.email, PASSWORD, "")
    await update_user(auth, acting_as(admin), user.id, Change(name="Ada L.", groups=user.groups))
    await verifier.verify(granted.access_token)


async def test_a_reset_password_ends_sessions_and_the_old_password(
    auth: Auth, make_user: MakeUser, admin: User, acting_as, verifier: TokenVerifier
) -> None:
    user = await make_user()
    granted = await login(auth, user.email, PASSWORD, "")
    await update_user(auth, acting_as(admin), user.id, Change(password="a brand new one"))
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"
    assert await code_of(login(auth, user.email, PASSWORD, "")) == "invalid_credentials"
    await login(auth, user.email, "a brand new one", "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (Change(active=False), "active"),
        *((Change(role=role), "role") for role in Role if role is not Role.ADMIN),
    ],
)
async def test_an_admin_cant_take_his_own_rights(
    auth: Auth, make_user: MakeUser, admin: User, acting_as, change: Change, field: str
) -> None:
    await make_user("other@example.com", role=Role.ADMIN)
    with pytest.raises(AppError) as caught:
        await update_user(auth, acting_as(admin), admin.id, change)
    assert (caught.value.kind, caught.value.errors[0].loc) == (Kind.INVALID, (field,))
    assert (await get_user(auth, admin.id)).is_active_admin


@pytest.mark.parametrize("role", [Role.MARKER, Role.INVIGILATOR])
async def test_staff_who_are_no_admins(
    auth: Auth, make_user: MakeUser, admin: User, acting_as, verifier: TokenVerifier, role: Role
) -> None:
    user = await make_user(role=role)
    granted = await login(auth, user.email, PASSWORD, "")
    assert (await verifier.verify(granted.access_token)).role == role.value
    found, _ = await list_users(auth, Filters(role=role), "", 0)
    assert [one.id for one in found] == [user.id]
    assert not found[0].is_active_admin


@pytest.mark.parametrize("role", [Role.STUDENT, Role.MARKER, Role.INVIGILATOR])
async def test_two_admins_who_take_each_other_leave_one(
    auth: Auth, another_auth: Auth, make_user: MakeUser, admin: User, acting_as, role: Role
) -> None:
    other = await make_user("other@example.com", role=Role.ADMIN)
    for _ in range(5):
        results = await asyncio.gather(
            update_user(auth, acting_as(admin), other.id, Change(active=False)),
            update_user(another_auth, acting_as(other), admin.id, Change(role=role)),
            return_exceptions=True,
        )
        assert [result.code for result in results if isinstance(result, AppError)] == ["last_admin"]
        active, _ = await list_users(auth, Filters(role=Role.ADMIN, active=True), "", 0)
        assert len(active) == 1
        for user in (admin, other):
            await update_user(auth, acting_as(active[0]), user.id, Change(role=Role.ADMIN, active=True))


async def test_changing_ones_password(
    auth: Auth, make_user: MakeUser, verifier: TokenVerifier, fake_clock: FakeClock
) -> None:
    user = await make_user()
    granted = await login(auth, user.email, PASSWORD, "")
    principal = await verifier.verify(granted.access_token)
    assert (
        await code_of(change_password(auth, principal, "wrong", "a new password", ""))
        == "invalid_credentials"
    )
    assert await code_of(change_password(auth, principal, PASSWORD, "short", "")) == "invalid"
    fresh = await change_password(auth, principal, PASSWORD, "a new password", "")
    assert await code_of(verifier.verify(granted.access_token)) == "unauthenticated"
    assert await code_of(refresh(auth, granted.refresh_token)) == "unauthenticated"
    await verifier.verify(fresh.access_token)
    await refresh(auth, fresh.refresh_token)


async def test_guessing_the_current_password_is_throttled(auth: Auth, make_user: MakeUser, acting_as) -> None:
    principal = acting_as(await make_user())
    for _ in range(5):
        await code_of(change_password(auth, principal, "wrong", "a new password", "192.0.2.1"))
    assert (
        await code_of(change_password(auth, principal, PASSWORD, "a new password", "192.0.2.1"))
        == "rate_limited"
    )
    assert await code_of(login(auth, "ada@example.com", PASSWORD, "192.0.2.1")) == "rate_limited"


async def test_a_link_works_once(auth: Auth, make_user: MakeUser, admin: User, fake_clock: FakeClock) -> None:
    user = await make_user(password=None)
    replaced = await create_link(auth, user.id)
    link = await create_link(auth, user.id)
    assert await code_of(set_password(auth, replaced.token, PASSWORD)) == "link_expired"
    assert await code_of(set_password(auth, link.token, "short")) == "invalid"
    results = await asyncio.gather(
        *(set_password(auth, link.token, f"{PASSWORD} {n}") for n in range(4)), return_exceptions=True
    )
    assert [getattr(result, "code", None) for result in results].count("link_expired") == 3
    assert (await get_user(auth, user.id)).has_password
    late = await create_link(auth, user.id)
    fake_clock.set(late.expires_at)
    assert await code_of(set_password(auth, late.token, PASSWORD)) == "link_expired"


async def test_every_change_is_audited_without_secrets(
    auth: Auth, make_user: MakeUser, admin: User, acting_as
) -> None:
    user = await make_user()
    granted = await login(auth, user.email, PASSWORD, "")
    link = await create_link(auth, user.id)
    await set_password(auth, link.token, "password by the link")
    await update_user(auth, acting_as(admin), user.id, Change(name="New", password="password by the admin"))
    await update_user(auth, acting_as(admin), user.id, Change(active=False))
    async with auth.db.reading() as conn:
        rows = (await conn.execute(sa.select(shared.audit).order_by(shared.audit.c.id))).all()
    actions = [row.action for row in rows]
    for action in (
        "user.created",
        "session.started",
        "password.link_created",
        "password.set_by_link",
        "user.updated",
        "password.reset",
        "user.deactivated",
        "signing_key.published",
    ):
        assert action in actions
    dump = await everything(auth)
    for secret in (link.token, granted.refresh_token, "password by the link", "password by the admin"):
        assert secret not in dump


async def test_what_changes_nothing_writes_nothing(
    auth: Auth, make_user: MakeUser, admin: User, acting_as
) -> None:
    user = await make_user(groups=("a",))
    before = await everything(auth)
    same = Change(name=user.name, email=user.email, groups=("a",), active=True, role=Role.STUDENT)
    await update_user(auth, acting_as(admin), user.id, same)
    assert await everything(auth) == before


async def test_students_are_counted(auth: Auth, make_user: MakeUser) -> None:
    first = await make_user("a@example.com", groups=("x",))
    second = await make_user("b@example.com", groups=("x", "y"))
    third = await make_user("c@example.com")
    await make_user("admin@example.com", role=Role.ADMIN, groups=("x",))
    gone = await make_user("d@example.com", groups=("y",))
    async with auth.db.transaction() as tx:
        await tx.conn.execute(users.update().where(users.c.id == gone.id).values(active=False))

    async def count(*groups: str, ids: Sequence[UUID] = (), everybody: bool = False) -> int:
        return await count_students(auth, everybody=everybody, groups=groups, ids=ids)

    assert await count(everybody=True) == 3
    assert await count() == 0
    assert (await count("x"), await count("y"), await count("x", "y"), await count("z")) == (2, 1, 2, 0)
    assert await count("y", ids=[first.id, second.id, third.id, gone.id]) == 3


async def test_people_are_found_by_their_addresses(auth: Auth, make_user: MakeUser) -> None:
    ada = await make_user("ada@example.com")
    found = await find_by_email(auth, ["Ada@Example.com", "ada@example.com", "bea@example.com", "", "x"])
    assert {email: user.id for email, user in found.items()} == {
        "Ada@Example.com": ada.id,
        "ada@example.com": ada.id,
    }
