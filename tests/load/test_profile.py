"""What the profile makes of stacks as py-spy folds them."""

from tests.load.profile import by_function, by_package, by_step, readable, stacks

FOLDED = [
    "main (exam_gateway/server.py:5);run (asyncio/runners.py:118);save (exam_gateway/student/saves.py:7) 3",
    "main (exam_gateway/server.py:5);run (asyncio/runners.py:118);save (exam_gateway/student/saves.py:9) 1",
    "main (exam_gateway/server.py:5);run (asyncio/runners.py:118) 4",
    "_bootstrap (threading.py:995);run (threading.py:975) 2",
]


def test_samples_are_counted_where_they_were_taken() -> None:
    found = list(stacks(FOLDED))
    assert by_function(found)["save (exam_gateway/student/saves.py)"] == 4
    assert by_package(found) == {"exam_gateway": 4, "asyncio": 4, "Python's own": 2}


def test_steps_of_ours_count_with_what_they_call() -> None:
    found = list(stacks(FOLDED))
    assert by_step(found) == {
        "main (exam_gateway/server.py)": 8,
        "save (exam_gateway/student/saves.py)": 4,
    }
    told = readable("gateway", found)
    assert " 40.0%  save" in told
    assert "main" not in told
