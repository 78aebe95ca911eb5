"""Statistics through HTTP: rounded, and null where they are undefined."""

import gateway_samples as samples
from examkit.errors import not_found

PATH = f"/api/v1/admin/exams/{samples.EXAM}/statistics"


async def test_figures_of_an_exam(gateway, fakes):
    fakes.answers |= samples.everything()
    body = (await gateway.admin.get(PATH)).json()
    assert fakes.asked("Statistics/GetStatistics").exam_id == samples.EXAM
    assert (body["n"], body["pending"], body["mean"], body["median"], body["sd"]) == (4, 1, 1.33, 1.5, None)
    assert (body["min"], body["max"], body["max_possible"], body["mean_percentage"]) == (0, 4, 4, 33.33)
    assert (body["distribution"], body["cronbach_alpha"]) == ([1, 0, 0, 0, 1, 0, 0, 0, 0, 1], None)
    choice, typed = body["questions"]
    assert (choice["difficulty"], choice["discrimination"], choice["mean_score"]) == (0.4444, -0.1235, 1.33)
    assert (choice["option_counts"], choice["top_answers"]) == ({"A": 3, "B": 0}, None)
    assert (typed["option_counts"], typed["top_answers"]) == (None, [{"answer": "Ada", "count": 2}])
    assert (typed["difficulty"], typed["discrimination"], typed["mean_score"]) == (None, None, None)


async def test_an_exam_that_is_not_there(gateway, fakes):
    fakes.answers |= samples.everything()
    fakes.answers["Authoring/GetExam"] = not_found("There is no such exam.")
    reply = await gateway.admin.get(PATH)
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
