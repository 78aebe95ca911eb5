"""Exams sat in a real browser, and what is graded after whatever happened on the way."""

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import ExamOf, SitDown
from tests.browser.desk import Account, student
from tests.browser.exam_page import ExamPage
from tests.browser.test_offline import kept_for_later
from tests.browser.test_session import log_in_by_hand
from tests.harness.api import Student, soon
from tests.harness.system import System

OFFLINE = "Offline: your answers are kept on this device"


async def graded_answers(http: httpx.AsyncClient, who: Account, page: Page) -> list[object]:
    """What the server holds of the attempt that this page has handed in, in the order of the questions."""
    person = Student(http)
    await person.login(*who)
    (mine,) = [one for one in await results_of(person) if one["student_exam_id"] in await page.content()]
    result = await person.graded(mine)
    return [one["answer"] for one in result["results"]]


async def results_of(person: Student) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await person.ok("GET", "/student/results"))["items"]
    return found


async def test_a_normal_exam(sit: SitDown, exam_of: ExamOf, http: httpx.AsyncClient) -> None:
    exam_id = await exam_of("true_false", "short_text", "text", title="A normal exam")
    desk = await sit(student(11))
    page = await desk.open("/")
    card = page.get_by_role("article", name="A normal exam")
    await card.get_by_role("link", name="Start").click()
    await page.get_by_role("button", name="Start: your time starts now").click()
    exam = await ExamPage(page).is_open()
    await exam.choose("True")
    await exam.next()
    await exam.write("Newton")
    await exam.next()
    await exam.write("It **pulls** things down.")
    await exam.is_saved()
    await exam.hand_in()
    assert await graded_answers(http, student(11), page) == ["true", "Newton", "It **pulls** things down."]
    await page.goto(f"/sit/?exam={exam_id}")
    await expect(page.get_by_role("heading", name="No exam in progress")).to_be_visible()


async def test_the_time_runs_out(sit: SitDown, exam_of: ExamOf, http: httpx.AsyncClient) -> None:
    exam_id = await exam_of("short_text", end_time=soon(25))
    desk = await sit(student(12))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await exam.write("Newton")
    await exam.is_handed_in("Time expired")
    await expect(exam.text).to_have_count(0)
    assert await graded_answers(http, student(12), exam.page) == ["Newton"]


async def test_the_network_goes_and_comes_back(sit: SitDown, exam_of: ExamOf) -> None:
    exam_id = await exam_of("short_text", "text")
    desk = await sit(student(13))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await desk.context.set_offline(True)
    await exam.write("typed without a network")
    await exam.says(OFFLINE)
    await exam.next()
    await exam.write("this too")
    await desk.context.set_offline(False)
    await exam.is_saved()
    again = await ExamPage.resume(await (await sit(student(13))).open("/"), exam_id)
    await expect(again.text).to_have_value("typed without a network")


async def test_the_page_is_loaded_anew_without_a_network(
    sit: SitDown, exam_of: ExamOf, http: httpx.AsyncClient
) -> None:
    exam_id = await exam_of("text")
    desk = await sit(student(14))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await kept_for_later(exam.page)
    await desk.context.set_offline(True)
    await exam.write("kept on this device")
    await exam.says(OFFLINE)
    await exam.page.reload()
    await exam.is_open()
    await expect(exam.text).to_have_value("kept on this device")
    await exam.write("kept on this device, and more")
    await desk.context.set_offline(False)
    await exam.is_saved()
    await exam.hand_in()
    assert await graded_answers(http, student(14), exam.page) == ["kept on this device, and more"]


async def test_two_tabs_show_the_same(sit: SitDown, exam_of: ExamOf, http: httpx.AsyncClient) -> None:
    exam_id = await exam_of("text")
    desk = await sit(student(15))
    one = await ExamPage.start(await desk.open("/"), exam_id)
    other = await ExamPage.resume(await desk.open("/"), exam_id)
    await one.write("from the first tab")
    await expect(other.text).to_have_value("from the first tab")
    await other.write("from the second tab")
    await expect(one.text).to_have_value("from the second tab")
    await one.is_saved()
    await other.hand_in()
    await one.is_handed_in()
    assert await graded_answers(http, student(15), other.page) == ["from the second tab"]


async def test_a_token_that_expires_is_renewed(sit: SitDown, exam_of: ExamOf) -> None:
    exam_id = await exam_of("text")
    desk = await sit(student(16))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await desk.context.route("**/student/save-answers", refuse_token, times=1)
    await exam.write("saved with the next token")
    await exam.is_saved()


async def test_a_session_that_ends_asks_for_a_login_and_loses_nothing(sit: SitDown, exam_of: ExamOf) -> None:
    exam_id = await exam_of("text")
    desk = await sit(student(17))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await desk.context.clear_cookies()
    await desk.context.route("**/student/save-answers", refuse_token, times=1)
    await exam.write("written before the login")
    await log_in_by_hand(exam.page, *student(17))
    await exam.is_saved()
    await expect(exam.text).to_have_value("written before the login")


async def refuse_token(route: object) -> None:
    problem = {"status": 401, "code": "token_expired", "title": "Unauthorized", "detail": "It has expired."}
    await route.fulfill(status=401, content_type="application/problem+json", json=problem)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("healing")
@pytest.mark.parametrize(("number", "process"), [(18, "gateway"), (19, "exam")])
async def test_a_process_dies_under_the_page(
    sit: SitDown, exam_of: ExamOf, system: System, number: int, process: str
) -> None:
    exam_id = await exam_of("text")
    desk = await sit(student(number))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await exam.write("before")
    await exam.is_saved()
    system.kill(process)
    await exam.write("after")
    await exam.is_saved()
    again = await ExamPage.resume(await (await sit(student(number))).open("/"), exam_id)
    await expect(again.text).to_have_value("after")
