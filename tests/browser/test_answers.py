"""Answers that are out of the ordinary: given twice, as a picture, unsaved at the way out."""

import httpx
from examkit.testing.waiting import eventually
from playwright.async_api import Dialog, FilePayload, expect

from tests.browser.conftest import ExamOf, SitDown
from tests.browser.desk import student
from tests.browser.exam_page import ExamPage
from tests.browser.test_sitting import OFFLINE, graded_answers
from tests.contract.test_files import drawing_exam, photo
from tests.harness.api import Admin


async def test_two_devices_show_both_answers_until_one_is_chosen(
    sit: SitDown, exam_of: ExamOf, http: httpx.AsyncClient
) -> None:
    exam_id = await exam_of("text")
    one = await ExamPage.start(await (await sit(student(24))).open("/"), exam_id)
    other = await ExamPage.resume(await (await sit(student(24))).open("/"), exam_id)
    await one.write("from the first device")
    await one.is_saved()
    await other.write("from the second device")
    await other.says("Not saved: choose between two answers")
    await expect(other.page.get_by_text("from the first device")).to_be_visible()
    await expect(other.text).to_have_value("from the second device")
    await other.page.get_by_role("button", name="Take this one").click()
    await expect(other.text).to_have_value("from the first device")
    await other.is_saved()
    await other.hand_in()
    assert await graded_answers(http, student(24), other.page) == ["from the first device"]


async def test_a_picture_is_sent_again_after_a_failure(sit: SitDown, admin: Admin) -> None:
    exam_id = await drawing_exam(admin)
    desk = await sit(student(25))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await desk.context.route("**/student/files", lambda route: route.abort(), times=1)
    file: FilePayload = {"name": "drawing.png", "mimeType": "image/png", "buffer": photo("PNG")}
    await exam.page.locator("input[type=file]").first.set_input_files(file)
    await expect(exam.page.get_by_text("“drawing.png” was not sent.")).to_be_visible()
    await exam.says("Not saved: a picture was not sent")
    await exam.page.get_by_role("button", name="Try again").click()
    await exam.is_saved()
    await expect(exam.page.get_by_role("img", name="Your picture")).to_be_visible()
    await exam.hand_in()


async def test_who_logs_out_with_something_unsaved_is_asked(sit: SitDown, exam_of: ExamOf) -> None:
    exam_id = await exam_of("text")
    desk = await sit(student(26))
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await desk.context.set_offline(True)
    await exam.write("not saved")
    await exam.says(OFFLINE)
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    exam.page.on("dialog", stay)
    await exam.page.locator("summary", has_text="Demo Student 026").click()
    await exam.page.get_by_role("button", name="Log out").click()
    await eventually(lambda: asked)
    assert "is not saved" in asked[0]
    await expect(exam.text).to_have_value("not saved")
    await desk.context.set_offline(False)
    await exam.is_saved()
