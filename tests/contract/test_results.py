"""A result beside its questions, as the student saw them."""

from tests.conftest import Bank, Class
from tests.harness.api import Admin


async def test_a_result_tells_what_was_asked(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    attempt = await student.start(await admin.exam(bank[1], reveal="correctness"))
    await student.submit(attempt)
    result = await student.graded(attempt)
    asked = {question["id"]: question for question in attempt["questions"]}
    assert len(result["results"]) == len(asked)
    for item in result["results"]:
        question = asked[item["question_id"]]
        assert item["question_text"] == question["text"]
        for name in ("order", "type", "options", "media"):
            assert item[name] == question[name], name
        assert item["correct_answer"] is None


async def test_what_is_withheld_is_withheld_whole(admin: Admin, students: Class, bank: Bank) -> None:
    (student,) = await students(1)
    attempt = await student.start(await admin.exam(bank[1], result_policy="manual"))
    submitted = await student.submit(attempt)
    assert submitted["results"] == []
    await student.fails(403, "results_not_released", "GET", f"/student/results/{attempt['student_exam_id']}")
