"""Bulk creation for imports: one transaction, idempotent, and nothing in a dry run."""

from __future__ import annotations

import asyncio

from auth_service.domain.accounts import Role
from auth_service.domain.students import StudentRow
from auth_service.repository.users import Filters
from auth_service.usecases.login import login
from auth_service.usecases.students import put_students
from auth_service.usecases.unit import Auth
from auth_service.usecases.users import list_users
from examkit.tokens import TokenVerifier

from .conftest import PASSWORD, MakeUser
from .test_refresh import code_of, everything

ROWS = [
    StudentRow(2, "new@example.com", "New", ("a",), "a good password"),
    StudentRow(3, "ada@example.com", "Ada", ("physics",), "another password"),
    StudentRow(4, "boss@example.com", "Boss", ()),
    StudentRow(5, "wrong", "Wrong", ()),
]


async def outcomes(auth: Auth, rows: list[StudentRow] = ROWS, *, dry_run: bool = False) -> list[str]:
    return [judged.outcome.value for judged in await put_students(auth, rows, dry_run=dry_run)]


async def test_a_dry_run_tells_the_same_and_changes_nothing(auth: Auth, make_user: MakeUser) -> None:
    await make_user("ada@example.com", groups=("math",))
    await make_user("boss@example.com", role=Role.ADMIN)
    before = await everything(auth)
    foreseen = await outcomes(auth, dry_run=True)
    assert await everything(auth) == before
    assert foreseen == await outcomes(auth) == ["created", "updated", "rejected", "rejected"]


async def test_sent_again_it_changes_nothing(auth: Auth) -> None:
    assert (await outcomes(auth))[0] == "created"
    before = await everything(auth)
    assert await outcomes(auth) == ["unchanged", "unchanged", "unchanged", "rejected"]
    assert await everything(auth) == before


async def test_an_existing_student_keeps_role_and_password_and_gains_groups(
    auth: Auth, make_user: MakeUser, verifier: TokenVerifier
) -> None:
    await make_user("ada@example.com", groups=("math",))
    granted = await login(auth, "ada@example.com", PASSWORD, "")
    await outcomes(auth)
    assert await code_of(verifier.verify(granted.access_token)) == "token_expired"
    await login(auth, "ada@example.com", PASSWORD, "")
    assert await code_of(login(auth, "ada@example.com", "another password", "")) == "invalid_credentials"
    await login(auth, "new@example.com", "a good password", "")
    (ada,) = (await list_users(auth, Filters(q="ada@"), "", 0))[0]
    assert (ada.role, ada.groups, ada.name) == (Role.STUDENT, ("math", "physics"), "Ada")


async def test_imports_that_meet_create_each_person_once(auth: Auth, another_auth: Auth) -> None:
    rows = [StudentRow(n, f"s{n}@example.com", f"S {n}", ("x",)) for n in range(2, 102)]
    first, second, third = await asyncio.gather(
        outcomes(auth, rows), outcomes(another_auth, rows[::-1]), outcomes(auth, rows)
    )
    created = sum(result.count("created") for result in (first, second, third))
    assert created == 100
    assert {*first, *second, *third} == {"created", "unchanged"}


async def test_logins_get_their_turn_during_a_bulk_creation(auth: Auth, make_user: MakeUser) -> None:
    await make_user()
    rows = [StudentRow(n, f"s{n}@example.com", "S", (), f"password number {n}") for n in range(60)]
    bulk = asyncio.create_task(put_students(auth, rows, dry_run=False))
    await asyncio.sleep(0)
    await login(auth, "ada@example.com", PASSWORD, "")
    assert not bulk.done()
    assert {judged.outcome.value for judged in await bulk} == {"created"}


async def test_more_than_500_rows_are_refused(auth: Auth) -> None:
    rows = [StudentRow(n, f"s{n}@example.com", "S", ()) for n in range(501)]
    assert await code_of(put_students(auth, rows, dry_run=True)) == "invalid"
    assert len(await put_students(auth, rows[:500], dry_run=False)) == 500
