"""What imported rows do to accounts: judged one after the other, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from auth_service.domain.accounts import Role, User
from auth_service.domain.students import Outcome, StudentRow, plan
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _user(email: str, role: Role = Role.STUDENT, groups: tuple[str, ...] = (), name: str = "Ada") -> User:
    return User(UUID(int=hash(email) & (2**128 - 1)), email, name, role, groups, True, 1, NOW, True)


EXISTING = {
    "ada@example.com": _user("ada@example.com", groups=("math",)),
    "boss@example.com": _user("boss@example.com", Role.ADMIN),
}


def _outcomes(*rows: StudentRow) -> list[str]:
    return [judged.outcome.value for judged in plan(rows, EXISTING).judged]


def test_each_kind_of_row() -> None:
    made = plan(
        [
            StudentRow(2, "new@example.com", "New", ("a",), "a good password"),
            StudentRow(3, "ADA@example.com", "Ada", ("math",), "another password"),
            StudentRow(4, "ada@example.com", "Ada", ("physics",)),
            StudentRow(5, "boss@example.com", "Boss", ()),
            StudentRow(6, "not an address", "X", ()),
            StudentRow(7, "short@example.com", "Short", (), "short"),
            StudentRow(8, "noname@example.com", " ", ()),
        ],
        EXISTING,
    )
    assert [(judged.row, judged.outcome.value, judged.code, judged.column) for judged in made.judged] == [
        (2, "created", "", ""),
        (3, "unchanged", "", ""),
        (4, "updated", "", ""),
        (5, "rejected", "not_a_student", "email"),
        (6, "rejected", "invalid", "email"),
        (7, "rejected", "invalid", "password"),
        (8, "rejected", "invalid", "name"),
    ]
    assert all(judged.message for judged in made.judged if judged.outcome is Outcome.REJECTED)
    assert [change.groups for change in made.changed.values()] == [("math", "physics")]


def test_the_same_new_address_twice_is_one_person() -> None:
    made = plan(
        [
            StudentRow(2, "new@example.com", "New", ("a",), "a good password"),
            StudentRow(3, "NEW@example.com", "New Name", ("b",)),
        ],
        {},
    )
    assert [judged.outcome.value for judged in made.judged] == ["created", "updated"]
    (new,) = made.created.values()
    assert (new.name, new.groups, new.password) == ("New Name", ("a", "b"), "a good password")


_rows = st.lists(
    st.builds(
        StudentRow,
        st.integers(2, 9),
        st.sampled_from(["ada@example.com", "Boss@example.com", "new@example.com", "other@example.com", "x"]),
        st.sampled_from(["Ada", "Bea", ""]),
        st.lists(st.sampled_from(["math", "physics", "art"]), max_size=3).map(tuple),
        st.sampled_from([None, "a good password", "short"]),
    )
)


@given(_rows)
def test_groups_are_never_taken_and_staff_is_never_touched(rows: list[StudentRow]) -> None:
    made = plan(rows, EXISTING)
    assert [judged.row for judged in made.judged] == [row.row for row in rows]
    assert EXISTING["boss@example.com"].id not in made.changed
    for change in made.changed.values():
        assert set(change.before.groups) <= set(change.groups)


@given(_rows)
def test_the_same_rows_again_change_nothing(rows: list[StudentRow]) -> None:
    """With one row a person: otherwise a name may go back and forth."""
    rows = list({row.email.casefold(): row for row in rows}.values())
    first = plan(rows, EXISTING)
    after = dict(EXISTING)
    for key, new in first.created.items():
        after[key] = _user(new.email, groups=new.groups, name=new.name)
    for change in first.changed.values():
        user = change.before
        after[user.email] = _user(user.email, groups=change.groups, name=change.name)
    again = plan(rows, after)
    assert not again.created
    assert not again.changed
