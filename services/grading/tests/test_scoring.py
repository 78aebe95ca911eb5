"""The rules of scoring, against a second, plainer telling of them."""

from decimal import Decimal

import pytest
from grading_service.domain.key import (
    ChoiceKey,
    ManualKey,
    NumericKey,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
    faults,
    from_document,
    to_document,
)
from grading_service.domain.scoring import Mark, Policy, mark, totals
from hypothesis import given
from hypothesis import strategies as st

LETTERS = "ABCDEFGH"
PLAIN = Policy()
letters = st.sets(st.sampled_from(LETTERS))
points = st.integers(1, 100_000)
penalties = st.decimals(0, 1, places=4)


@given(correct=letters.filter(bool), chosen=letters, worth=points, penalty=penalties)
def test_partial_credit_is_right_minus_wrong_over_right(
    correct: set[str], chosen: set[str], worth: int, penalty: Decimal
) -> None:
    policy = Policy("partial", penalty)
    got = mark(QuestionType.MULTI_CHOICE, ChoiceKey(frozenset(correct)), sorted(chosen), worth, policy)
    net = len(chosen & correct) - len(chosen - correct)
    if not chosen:
        assert got == Mark("graded", False, 0)
    elif net > 0:
        exact = Decimal(worth) * net / len(correct)
        assert got.score is not None
        assert abs(got.score - exact) <= Decimal("0.5")
        assert got.score - exact > Decimal("-0.5")
    else:
        assert got.score == -int((worth * penalty).quantize(Decimal(1), "ROUND_HALF_UP"))
    assert got.is_correct == (chosen == correct)


@given(correct=letters.filter(bool), chosen=letters.filter(bool), worth=points, penalty=penalties)
def test_all_or_nothing_is_exactly_that(
    correct: set[str], chosen: set[str], worth: int, penalty: Decimal
) -> None:
    key = ChoiceKey(frozenset(correct))
    got = mark(QuestionType.MULTI_CHOICE, key, sorted(chosen), worth, Policy("all_or_nothing", penalty))
    assert got.is_correct == (chosen == correct)
    assert (got.score == worth) == (chosen == correct) or penalty == 0


@pytest.mark.parametrize("given_answer", [None, "", "  ", []])
@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (QuestionType.SINGLE_CHOICE, ChoiceKey(frozenset("A"))),
        (QuestionType.MULTI_CHOICE, ChoiceKey(frozenset("AB"))),
        (QuestionType.TRUE_FALSE, TrueFalseKey(True)),
        (QuestionType.NUMERIC, NumericKey(Decimal(0))),
        (QuestionType.SHORT_TEXT, ShortTextKey(("x",))),
        (QuestionType.TEXT, ManualKey()),
    ],
)
def test_no_answer_earns_nothing_and_costs_nothing(
    kind: QuestionType, key: object, given_answer: object
) -> None:
    assert mark(kind, key, given_answer, 100, Policy("partial", Decimal(1))) == Mark("graded", False, 0)  # type: ignore[arg-type]


def test_a_penalty_is_for_choices_alone() -> None:
    policy = Policy("all_or_nothing", Decimal("0.25"))
    assert mark(QuestionType.SINGLE_CHOICE, ChoiceKey(frozenset("A")), "B", 100, policy).score == -25
    assert mark(QuestionType.NUMERIC, NumericKey(Decimal(4)), "5", 100, policy).score == 0
    assert mark(QuestionType.TRUE_FALSE, TrueFalseKey(True), "false", 100, policy).score == 0


def test_points_are_rounded_half_up() -> None:
    third = mark(QuestionType.MULTI_CHOICE, ChoiceKey(frozenset("ABC")), ["A"], 100, Policy("partial"))
    assert third.score == 33
    half = mark(QuestionType.MULTI_CHOICE, ChoiceKey(frozenset("AB")), ["A"], 25, Policy("partial"))
    assert half.score == 13  # 12.5 hundredths


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("3.14", True), (" 3.15 ", True), ("3.13", True), ("3.1500001", False), ("314e-2", True),
        ("3,14", False), ("nan", False), ("inf", False), ("1e999999999", False), ("three", False),
    ],
)  # fmt: skip
def test_numeric_tolerance_is_inclusive(answer: str, right: bool) -> None:
    key = NumericKey(Decimal("3.14"), Decimal("0.01"))
    assert mark(QuestionType.NUMERIC, key, answer, 100, PLAIN).is_correct is right


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_a_number_equals_itself_however_it_is_written(number: Decimal) -> None:
    for text in (str(number), f"{number:E}", f"{number:f}"):
        assert mark(QuestionType.NUMERIC, NumericKey(number), text, 100, PLAIN).is_correct


@pytest.mark.parametrize(
    ("accepted", "answer", "sensitive", "right"),
    [
        ("Marie Curie", "  marie   CURIE ", False, True),
        ("Marie Curie", "marie curie", True, False),
        ("Marie Curie", "Marie\u00a0Curie", True, True),
        ("Straße", "STRASSE", False, True),
        ("ﬁre", "fire", True, True),
        ("Å", "A\u030a", True, True),
        ("İstanbul", "i\u0307stanbul", False, True),
    ],
)
def test_short_texts_are_compared_normalised(
    accepted: str, answer: str, sensitive: bool, right: bool
) -> None:
    key = ShortTextKey((accepted,), sensitive)
    assert mark(QuestionType.SHORT_TEXT, key, answer, 100, PLAIN).is_correct is right


@given(st.text(min_size=1), st.booleans())
def test_an_accepted_text_accepts_itself(text: str, sensitive: bool) -> None:
    got = mark(QuestionType.SHORT_TEXT, ShortTextKey((text,), sensitive), text, 100, PLAIN)
    assert got.is_correct or not text.strip()


def test_essays_wait_and_do_not_blank_the_rest() -> None:
    waiting = mark(QuestionType.TEXT, ManualKey(), "An essay.", 500, PLAIN)
    assert waiting == Mark("pending", None, None)
    sums = totals([(Mark("graded", True, 100), 100), (waiting, 500), (Mark("excluded", None, 0), 300)])
    assert (sums.total, sums.max_possible, sums.percentage) == (100, 600, 1667)
    assert (sums.graded_count, sums.pending_count) == (1, 1)


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(1000, 5000)), max_size=30))
def test_totals_stay_between_nothing_and_all(rows: list[tuple[int, int]]) -> None:
    sums = totals([(Mark("graded", score > 0, score), most) for score, most in rows])
    assert 0 <= sums.total <= sums.max_possible
    assert 0 <= sums.percentage <= 10_000


one_letter = st.frozensets(st.sampled_from(LETTERS), min_size=1, max_size=1)
numeric_keys = st.builds(NumericKey, st.decimals(-1000, 1000), st.decimals(0, 10))
short_text_keys = st.builds(ShortTextKey, st.tuples(st.just("x")), st.booleans())
keys = st.one_of(
    st.tuples(st.just(QuestionType.SINGLE_CHOICE), st.builds(ChoiceKey, one_letter)),
    st.tuples(st.just(QuestionType.TRUE_FALSE), st.builds(TrueFalseKey, st.booleans())),
    st.tuples(st.just(QuestionType.NUMERIC), numeric_keys),
    st.tuples(st.just(QuestionType.SHORT_TEXT), short_text_keys),
    st.tuples(st.just(QuestionType.TEXT), st.just(ManualKey())),
)


@given(keys)
def test_a_stored_key_is_the_key(pair: tuple[QuestionType, object]) -> None:
    kind, key = pair
    assert from_document(kind, to_document(key)) == key  # type: ignore[arg-type]
    assert not faults(kind, LETTERS, key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "key", "loc"),
    [
        (QuestionType.SINGLE_CHOICE, ChoiceKey(frozenset("AB")), ("key", "correct")),
        (QuestionType.SINGLE_CHOICE, ChoiceKey(frozenset("Z")), ("key", "correct")),
        (QuestionType.MULTI_CHOICE, ChoiceKey(frozenset()), ("key", "correct")),
        (QuestionType.MULTI_CHOICE, TrueFalseKey(True), ("key",)),
        (QuestionType.NUMERIC, NumericKey(Decimal(1), Decimal(-1)), ("key", "tolerance")),
        (QuestionType.SHORT_TEXT, ShortTextKey((" ",)), ("key", "accepted")),
        (QuestionType.TEXT, ShortTextKey(("x",)), ("key",)),
    ],
)
def test_a_key_that_does_not_fit_is_told(kind: QuestionType, key: object, loc: tuple[str, ...]) -> None:
    assert [fault.loc for fault in faults(kind, LETTERS, key)] == [loc]  # type: ignore[arg-type]
