"""Rules of throttling, refreshing and key rotation, by their properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from auth_service.domain.key_schedule import CLOCK_MARGIN, KeyTimes, dead_keys, is_due, signing_key
from auth_service.domain.refreshing import (
    REUSED,
    Lifetimes,
    RefreshToken,
    Session,
    Verdict,
    judge,
    refresh_expiry,
    successor_of,
)
from auth_service.domain.throttling import (
    FREE_FAILURES,
    LONGEST_WAIT,
    address_scope,
    wait_after,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WINDOW = timedelta(seconds=30)
_seconds = st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))


@given(st.integers(1, 10**6))
def test_waits_grow_and_stay_bounded(failures: int) -> None:
    assert timedelta(0) <= wait_after(failures) <= wait_after(failures + 1) <= LONGEST_WAIT
    assert (wait_after(failures) > timedelta(0)) == (failures >= FREE_FAILURES)


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_an_address_stands_for_one_customer(address: str, scope: str) -> None:
    assert address_scope(address) == scope


@given(st.text())
def test_any_address_text_gives_a_small_scope(text: str) -> None:
    scope = address_scope(text)
    assert len(scope) <= 64
    assert "\0" not in scope


def _session(**changes: object) -> Session:
    values: dict[str, object] = {
        "id": UUID(int=1),
        "user_id": UUID(int=2),
        "started_at": NOW - timedelta(hours=1),
        "ends_at": NOW + timedelta(days=7),
        "ended_at": None,
        "end_reason": None,
    }
    return Session(**{**values, **changes})  # type: ignore[arg-type]


def _token(used: timedelta | None = None, *, successor_used: bool = False) -> RefreshToken:
    used_at = None if used is None else NOW - used
    return RefreshToken(b"", UUID(int=1), NOW + timedelta(hours=1), used_at, b"n", successor_used, None)


@given(st.none() | _seconds, st.booleans())
def test_a_used_token_works_again_only_in_the_window_and_before_its_successor(
    used: timedelta | None, successor_used: bool
) -> None:
    verdict = judge(_session(), _token(used, successor_used=successor_used), NOW, WINDOW)
    if used is None:
        assert verdict is Verdict.ROTATE
    elif used <= WINDOW and not successor_used:
        assert verdict is Verdict.REPEAT
    else:
        assert verdict is Verdict.REUSED


@given(st.none() | _seconds, st.booleans())
def test_nothing_works_in_a_session_that_ended(used: timedelta | None, successor_used: bool) -> None:
    token = _token(used, successor_used=successor_used)
    assert judge(_session(ended_at=NOW, end_reason="logout"), token, NOW, WINDOW) is Verdict.OVER
    assert judge(_session(ended_at=NOW, end_reason=REUSED), token, NOW, WINDOW) is Verdict.REUSED
    assert judge(_session(ends_at=NOW), token, NOW, WINDOW) is Verdict.OVER


@given(_seconds)
def test_a_refresh_never_leads_beyond_the_session(left: timedelta) -> None:
    lifetimes = Lifetimes()
    expiry = refresh_expiry(NOW + left, NOW, lifetimes)
    assert NOW <= expiry <= NOW + left
    assert expiry <= NOW + lifetimes.refresh_idle


@given(st.binary(), st.binary(), st.text())
def test_a_successor_can_be_derived_again_and_needs_all_three(
    nonce: bytes, secret: bytes, token: str
) -> None:
    successor = successor_of(token, nonce, secret)
    assert successor == successor_of(token, nonce, secret)
    assert successor != successor_of(token + "x", nonce, secret)
    assert successor != successor_of(token, nonce + b"x", secret)
    assert successor != successor_of(token, nonce, secret + b"x")
    assert len(successor) == 43


_keys = st.lists(st.tuples(_seconds, _seconds), min_size=1, max_size=6).map(
    lambda offsets: [
        KeyTimes(str(number), NOW - age, NOW - age + lead) for number, (age, lead) in enumerate(offsets)
    ]
)


@given(_keys, _seconds, _seconds)
def test_a_key_that_may_have_signed_a_living_token_is_never_dead(
    keys: list[KeyTimes], life: timedelta, back: timedelta
) -> None:
    dead = dead_keys(keys, NOW, life)
    # Whoever signed at a moment whose tokens may still be alive, on a clock a little off, is kept.
    signer = signing_key(keys, NOW - min(back, life + CLOCK_MARGIN - timedelta(seconds=1)))
    assert signer not in dead
    assert len(dead) < len(keys)


def test_rotation_by_age() -> None:
    every, lead = timedelta(days=30), timedelta(minutes=10)
    first = KeyTimes("a", NOW, NOW)
    assert is_due([], NOW, every, lead)
    assert not is_due([first], NOW, every, lead)
    due = NOW + every - lead
    assert is_due([first], due, every, lead)
    second = KeyTimes("b", due, due + lead)
    assert not is_due([first, second], due, every, lead)
    assert signing_key([first, second], due) == first
    assert signing_key([first, second], due + lead) == second
