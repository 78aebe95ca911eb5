"""Shuffles: stable, secret, and translated back without loss."""

import hmac
from uuid import UUID, uuid4

import pytest
from exam_service.domain.paper import Option, Paper, PaperQuestion
from exam_service.domain.shuffle import _ranking, lettering, letterings, letters, shown
from hypothesis import given
from hypothesis import strategies as st

seeds = st.binary(min_size=32, max_size=32)


def question(options: int, kind: str = "multi_choice", place: int = 1) -> PaperQuestion:
    chosen = tuple(Option(letter, f"text of {letter}") for letter in letters(options))
    return PaperQuestion(uuid4(), uuid4(), 1, kind, "Which?", chosen, 100, place, b"")


questions = st.builds(question, st.integers(2, 30))


@given(questions, seeds, st.booleans())
def test_translating_is_a_bijection(asked: PaperQuestion, seed: bytes, shuffled: bool) -> None:
    chosen = lettering(asked, seed, shuffled)

    assert sorted(chosen.authored_ids) == sorted(asked.option_ids)
    assert sorted(chosen.authored(letter) for letter in chosen.shown_ids) == sorted(asked.option_ids)


@given(questions, seeds, st.data())
def test_what_a_student_chose_is_what_is_graded(
    asked: PaperQuestion, seed: bytes, data: st.DataObject
) -> None:
    paper = Paper(uuid4(), (asked,))
    (on_page,) = shown(paper, seed, shuffle_questions=True, shuffle_options=True)
    picked = data.draw(st.lists(st.sampled_from(on_page.options), unique=True))

    translated = lettering(asked, seed, True).translate([option.id for option in picked])

    text = {option.id: option.text for option in asked.options}
    assert isinstance(translated, list)
    assert [text[letter] for letter in translated] == [option.text for option in picked]


@given(questions, seeds)
def test_the_same_seed_shows_the_same_and_letters_go_from_a_on(asked: PaperQuestion, seed: bytes) -> None:
    paper = Paper(uuid4(), (asked,))
    once = shown(paper, seed, shuffle_questions=True, shuffle_options=True)

    assert once == shown(paper, seed, shuffle_questions=True, shuffle_options=True)
    assert tuple(option.id for option in once[0].options) == letters(len(asked.options))


@given(questions, seeds)
def test_without_shuffling_options_stand_as_authored(asked: PaperQuestion, seed: bytes) -> None:
    (on_page,) = shown(Paper(uuid4(), (asked,)), seed, shuffle_questions=True, shuffle_options=False)

    assert on_page.options == asked.options
    assert lettering(asked, seed, False).translate("B") == "B"


@given(st.integers(1, 12), seeds, st.booleans())
def test_every_question_is_shown_once_and_numbered(count: int, seed: bytes, shuffled: bool) -> None:
    paper = Paper(uuid4(), tuple(question(3, place=place) for place in range(1, count + 1)))

    on_page = shown(paper, seed, shuffle_questions=shuffled, shuffle_options=True)

    assert {each.question for each in on_page} == set(paper.questions)
    assert [each.order for each in on_page] == list(range(1, count + 1))
    if not shuffled:
        assert [each.question for each in on_page] == list(paper.questions)


def test_seeds_differ_in_what_they_show() -> None:
    paper = Paper(uuid4(), tuple(question(5, place=place) for place in range(1, 9)))
    seen = {
        tuple((each.question.question_id, each.options) for each in page)
        for page in (
            shown(paper, bytes([number]) * 32, shuffle_questions=True, shuffle_options=True)
            for number in range(50)
        )
    }

    assert len(seen) == 50


def test_the_algorithm_stays_as_it_is() -> None:
    """Attempts under way are lettered by it: a change would re-letter what students have answered."""
    asked = PaperQuestion(UUID(int=7), UUID(int=8), 1, "single_choice", "?", question(6).options, 100, 1, b"")

    assert lettering(asked, b"s" * 32, True).authored_ids == ("E", "F", "A", "D", "C", "B")


@given(seeds, st.binary(max_size=80))
def test_the_order_is_that_of_hmac(seed: bytes, name: bytes) -> None:
    assert _ranking(seed)(name) == hmac.digest(seed, name, "sha256")


def test_only_choices_are_lettered() -> None:
    asked = question(0, kind="text")
    paper = Paper(uuid4(), (asked, question(3)))

    assert set(letterings(paper, b"s" * 32, True)) == {paper.questions[1].question_id}
    assert shown(paper, b"s" * 32, shuffle_questions=False, shuffle_options=True)[0].options == ()


def test_a_letter_that_was_not_shown_has_nothing_behind_it() -> None:
    with pytest.raises(KeyError):
        lettering(question(3), b"s" * 32, True).translate("D")


def test_letters_go_on_after_z() -> None:
    assert letters(28)[24:] == ("Y", "Z", "AA", "AB")
