"""The rule of the bank: what a batch does, one item after the other, against a model that is told twice."""

from uuid import UUID

import pytest
from exam_service.domain.bank import BankEntry, final_entries, plan
from hypothesis import given
from hypothesis import strategies as st

from .builders import content, item

QUESTIONS = [UUID(int=number) for number in range(1, 5)]
VERSIONS = [UUID(int=100 + number) for number in range(12)]
EXTERNAL_IDS = ["", "x", "y", "z"]

ITEMS = st.builds(
    lambda version, question, expected, external, fallback, text: item(
        content(text, external_id=external),
        version_id=version,
        question_id=question,
        expected_version=expected,
        fallback_id=fallback,
    ),
    st.sampled_from(VERSIONS),
    st.none() | st.sampled_from(QUESTIONS),
    st.integers(0, 3),
    st.sampled_from(EXTERNAL_IDS),
    st.sampled_from(QUESTIONS + [UUID(int=number) for number in range(50, 60)]),
    st.sampled_from(["What?", "", "a < b"]),
)


def after(entries: list[BankEntry], versions: dict[UUID, tuple[UUID, int]], planned):  # type: ignore[no-untyped-def]
    """The bank once a plan is written."""
    bank = {entry.question_id: entry for entry in entries}
    bank |= {version.entry.question_id: version.entry for version in planned.versions}
    known = versions | {v.entry.version_id: (v.entry.question_id, v.entry.version) for v in planned.versions}
    return list(bank.values()), known


@given(st.lists(ITEMS, max_size=12), st.integers(0, 12))
def test_a_batch_is_the_same_as_its_parts_one_after_the_other(items: list, cut: int) -> None:  # type: ignore[type-arg]
    whole = plan(items, [], {})
    first = plan(items[:cut], [], {})
    entries, known = after([], {}, first)
    second = plan(items[cut:], entries, known)
    assert whole.outcomes == first.outcomes + second.outcomes
    assert whole.versions == first.versions + second.versions


@given(st.lists(ITEMS, max_size=12))
def test_a_batch_that_comes_again_changes_nothing(items: list) -> None:  # type: ignore[type-arg]
    once = plan(items, [], {})
    entries, known = after([], {}, once)
    again = plan(items, entries, known)
    written = {outcome.question_id for outcome in once.outcomes if outcome.kind != "rejected"}
    for before, now in zip(once.outcomes, again.outcomes, strict=True):
        if before.kind != "rejected":
            assert (now.kind, now.question_id, now.version) == (
                "repeated",
                before.question_id,
                before.version,
            )
        else:
            # What was refused may be taken now only for a question that the batch itself made.
            assert now.kind != "updated" or now.question_id in written


@given(st.lists(ITEMS, max_size=12))
def test_versions_grow_by_one_and_external_ids_stay_unique(items: list) -> None:  # type: ignore[type-arg]
    planned = plan(items, [], {})
    seen: dict[UUID, int] = {}
    for version in planned.versions:
        entry = version.entry
        assert entry.version == seen.get(entry.question_id, 0) + 1
        seen[entry.question_id] = entry.version
    held = [v.entry.external_id for v in final_entries(planned.versions) if v.entry.external_id]
    assert len(held) == len(set(held))
    assert len({v.entry.version_id for v in planned.versions}) == len(planned.versions)


def test_a_later_item_updates_the_question_that_an_earlier_one_made() -> None:
    first, second = item(content("a", external_id="x")), item(content("b", external_id="x"))
    planned = plan([first, second], [], {})
    assert [(o.kind, o.question_id, o.version) for o in planned.outcomes] == [
        ("created", first.fallback_id, 1),
        ("updated", first.fallback_id, 2),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"question_id": UUID(int=9)}, "not_found"),
        ({"question_id": UUID(int=3)}, "not_found"),
        ({"question_id": UUID(int=1), "expected_version": 1}, "stale_version"),
        ({"question_id": UUID(int=1), "content": content(external_id="y")}, "external_id_taken"),
        ({"question_id": UUID(int=1), "content": content("")}, "invalid"),
        ({"fallback_id": UUID(int=2)}, "invalid"),
        ({"must_be_new": True, "content": content(external_id="y")}, "external_id_taken"),
    ],
)
def test_refusals(changes: dict, code: str) -> None:  # type: ignore[type-arg]
    entries = [
        BankEntry(question_id=UUID(int=1), version=2, version_id=UUID(int=11), external_id="x"),
        BankEntry(question_id=UUID(int=2), version=1, version_id=UUID(int=12), external_id="y"),
        BankEntry(
            question_id=UUID(int=3), version=1, version_id=UUID(int=13), external_id="z", archived=True
        ),
    ]
    outcome = plan([item(**changes)], entries, {}).outcomes[0]
    assert (outcome.kind, outcome.code) == ("rejected", code)
    assert outcome.detail


def test_the_external_id_of_an_archived_question_is_free() -> None:
    gone = BankEntry(
        question_id=UUID(int=3), version=1, version_id=UUID(int=13), external_id="z", archived=True
    )
    assert plan([item(content(external_id="z"))], [gone], {}).outcomes[0].kind == "created"
