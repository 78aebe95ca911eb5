"""Statistics of an exam, as an admin asks for them."""

import uuid
from typing import Any

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json
from tests.harness.oracle import Authored


def shown_as(question: Json, texts: tuple[str, ...]) -> Any:
    """These options in the student's own letters; one of them where the question takes one."""
    letters = [one["id"] for one in question["options"] if one["text"] in texts]
    return letters if question["type"] == "multi_choice" else letters[0]


async def test_statistics_of_an_exam(admin: Admin, students: Class, bank: Bank) -> None:
    by_text: dict[str, Authored] = bank[0]
    fish, mammals = (
        next(one for one in by_text.values() if end in one.text) for end in ("fish?", "mammals?")
    )
    ids = {
        one["text"]: one["id"] for one in [await admin.ok("GET", f"/admin/questions/{i}") for i in bank[1]]
    }
    exam_id = await admin.exam([ids[fish.text], ids[mammals.text]])
    path = f"/admin/exams/{exam_id}/statistics"
    nobody = await admin.ok("GET", path)
    assert (nobody["n"], nobody["mean"], nobody["cronbach_alpha"]) == (0, None, None)
    given = [(("Trout",), ("Whale", "Bat")), (("Trout",), ("Whale",)), (("Bat",), None)]
    for student, (one, many) in zip(await students(3), given, strict=True):
        attempt = await student.start(exam_id)
        asked = {question["text"]: question for question in attempt["questions"]}
        answers = [{"question_id": ids[fish.text], "answer": shown_as(asked[fish.text], one)}]
        if many:
            answers.append({"question_id": ids[mammals.text], "answer": shown_as(asked[mammals.text], many)})
        await student.submit(attempt, answers)
        await student.graded(attempt)
    found = await admin.ok("GET", path)
    # 5, 2 and 0 of 5 points.
    assert (found["n"], found["pending"], found["max_possible"]) == (3, 0, 5)
    assert (found["mean"], found["median"], found["sd"], found["min"], found["max"]) == (2.33, 2, 2.52, 0, 5)
    assert found["distribution"] == [1, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    first, second = found["questions"]
    assert (first["question_id"], first["n_answered"], first["n_graded"]) == (ids[fish.text], 3, 3)
    assert first["option_counts"] == {"A": 0, "B": 2, "C": 1, "D": 0}, "in the authored letters"
    assert second["option_counts"] == {"A": 2, "B": 0, "C": 1, "D": 0}
    assert (first["difficulty"], second["difficulty"]) == (0.6667, 0.3333)
    assert (first["discrimination"], second["discrimination"]) == (0.5, 0.5)
    # Variances 4/3 and 3 of the questions, 19/3 of the sums.
    assert found["cronbach_alpha"] == 0.6316


async def test_a_draft_and_no_exam(admin: Admin) -> None:
    draft = await admin.ok("POST", "/admin/exams", json={"title": "Draft", "duration_minutes": 5})
    found = await admin.ok("GET", f"/admin/exams/{draft['id']}/statistics")
    assert (found["n"], found["questions"]) == (0, [])
    await admin.fails(404, "not_found", "GET", f"/admin/exams/{uuid.uuid4()}/statistics")
