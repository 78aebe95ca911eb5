"""The rule of revisions, and that no order of retries brings an old answer back."""

from exam_service.domain.revision import MAX_REVISION, judge
from hypothesis import given
from hypothesis import strategies as st

revisions = st.integers(0, 20) | st.sampled_from([MAX_REVISION - 1, MAX_REVISION])


@given(st.none() | revisions, st.none() | revisions, st.booleans())
def test_the_contracts_table(stored: int | None, sent: int | None, same: bool) -> None:
    judged = judge(stored, sent, same_answer=same)

    if stored is None:
        assert (judged.outcome, judged.revision) == ("stored", 1 if sent is None else sent)
    elif sent is None:
        wanted = "stored" if stored < MAX_REVISION else "repeat" if same else "conflict"
        assert (judged.outcome, judged.revision) == (wanted, min(stored + 1, MAX_REVISION))
    elif sent > stored:
        assert (judged.outcome, judged.revision) == ("stored", sent)
    elif sent == stored:
        assert (judged.outcome, judged.revision) == ("repeat" if same else "conflict", stored)
    else:
        assert (judged.outcome, judged.revision) == ("superseded", stored)


@given(st.none() | revisions, st.none() | revisions, st.booleans())
def test_the_stored_revision_never_falls_nor_leaves_its_range(
    stored: int | None, sent: int | None, same: bool
) -> None:
    judged = judge(stored, sent, same_answer=same)

    assert (-1 if stored is None else stored) <= judged.revision <= MAX_REVISION


@given(st.data())
def test_whatever_the_order_and_the_retries_the_newest_answer_stays(data: st.DataObject) -> None:
    answers = dict(enumerate(data.draw(st.lists(st.text(max_size=3), min_size=1, max_size=8)), start=1))
    arrivals = data.draw(
        st.lists(st.sampled_from(list(answers)), max_size=20)
        .map(lambda more: [*answers, *more])
        .flatmap(st.permutations)
    )
    stored: tuple[int, str] | None = None
    for revision in arrivals:
        same = stored is not None and stored[1] == answers[revision]
        if judge(None if stored is None else stored[0], revision, same_answer=same).outcome == "stored":
            stored = (revision, answers[revision])

    newest = max(answers)
    assert stored == (newest, answers[newest])
