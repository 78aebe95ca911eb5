"""What e-mail addresses, names, groups and passwords may be."""

from __future__ import annotations

import pytest
from auth_service.domain.accounts import (
    GROUPS_BYTES,
    PASSWORD_BYTES,
    RuleError,
    check_password,
    clean_email,
    clean_groups,
    clean_name,
    email_key,
    lookup_key,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Ada.Lovelace@Example.COM ", "Ada.Lovelace@example.com"),
        ("ada+exam@school.local", "ada+exam@school.local"),
        ("x@y.test", "x@y.test"),
        ("jürgen@exämple.de", "jürgen@exämple.de"),
    ],
)
def test_an_address_is_normalised_without_asking_dns(typed: str, stored: str) -> None:
    assert clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "ada", "@example.com", "ada@", "ada@localhost", "a\0da@example.com", "a b@example.com", "a@b..com"],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RuleError):
        clean_email(typed)
    assert lookup_key(typed) is None


@given(st.text(max_size=400))
def test_any_text_is_an_address_or_refused_and_never_a_crash(text: str) -> None:
    key = lookup_key(text)
    if key is not None:
        assert email_key(clean_email(clean_email(text))) == key
        assert "\0" not in key


def test_the_key_is_the_same_in_any_case() -> None:
    assert lookup_key("ADA@EXAMPLE.COM") == lookup_key("ada@example.com")


@given(st.text())
def test_a_name_is_one_clean_line_or_refused(text: str) -> None:
    try:
        name = clean_name(text)
    except RuleError:
        return
    assert 1 <= len(name) <= 200
    assert name == clean_name(name) == " ".join(name.split())
    assert "\0" not in name
    name.encode()


@given(st.lists(st.text()))
def test_groups_are_a_bounded_sorted_set_or_refused(names: list[str]) -> None:
    try:
        groups = clean_groups(names)
    except RuleError:
        return
    assert list(groups) == sorted(set(groups))
    assert clean_groups(groups) == groups
    assert sum(len(group.encode()) for group in groups) <= GROUPS_BYTES


def test_too_many_groups_are_refused() -> None:
    with pytest.raises(RuleError):
        clean_groups(f"group {number}" for number in range(51))


@pytest.mark.parametrize(
    "password", ["demo-admin-password", "demo-student-password", "0123456789", "ä" * 512]
)
def test_passwords_that_may_be(password: str) -> None:
    assert check_password(password, "admin@example.com") == password


@pytest.mark.parametrize(
    "password",
    [
        "",
        "012345678",
        "x" * (PASSWORD_BYTES + 1),
        "ä" * 513,
        "with a \0 inside",
        "lone surrogate \ud800",
        "Ada@Example.com",
    ],
)
def test_passwords_that_may_not_be(password: str) -> None:
    with pytest.raises(RuleError):
        check_password(password, "ada@example.com")
