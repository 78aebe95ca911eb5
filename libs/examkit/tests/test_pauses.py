"""Pauses that grow: what failed rests twice as long each time."""

from examkit.pauses import Pauses


def test_each_pause_is_twice_as_long_up_to_the_longest() -> None:
    pauses: Pauses[str] = Pauses(first=1, longest=5)
    now, lengths = 0.0, []
    for _ in range(5):
        pauses.failed("x", now)
        before = now
        while "x" in pauses.resting(now):
            now += 1
        lengths.append(now - before)
    assert lengths == [1, 2, 4, 5, 5]


def test_only_what_failed_rests_and_what_goes_well_for_long_starts_anew() -> None:
    pauses: Pauses[str] = Pauses(first=1, longest=5)
    pauses.failed("x", 0)
    pauses.failed("x", 1)
    pauses.failed("y", 2)
    assert pauses.resting(2) == {"x", "y"}
    assert pauses.resting(3) == frozenset()
    assert pauses.resting(20) == frozenset()
    pauses.failed("x", 20)
    assert pauses.resting(20.5) == {"x"}
    assert pauses.resting(21) == frozenset()
