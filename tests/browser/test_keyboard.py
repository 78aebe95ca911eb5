"""An exam sat from login to receipt by somebody who has no mouse."""

from playwright.async_api import Page

from tests.browser.conftest import ExamOf, SitDown
from tests.browser.desk import student
from tests.browser.exam_page import ExamPage

MOST_TABS = 80

NAME_OF_FOCUSED = """() => {
  const here = document.activeElement;
  if (here === document.body) return "";
  const ids = (here.getAttribute("aria-labelledby") ?? "").split(" ");
  const named = ids.map((id) => document.getElementById(id));
  const label = [...named, ...(here.labels ?? [])].map((one) => one?.textContent ?? "").join(" ");
  return `${here.getAttribute("aria-label") ?? ""} ${label} ${here.textContent}`.trim();
}"""


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so."""
    passed = []
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        passed.append(await page.evaluate(NAME_OF_FOCUSED))
        if name in passed[-1]:
            return
    raise AssertionError(f"no way by Tab to {name!r}: {passed}")


async def press(page: Page, name: str) -> None:
    await tab_to(page, name)
    await page.keyboard.press("Enter")


async def test_an_exam_by_keyboard_alone(sit: SitDown, exam_of: ExamOf) -> None:
    exam_id = await exam_of("true_false", "multi_choice", "text")
    page = await (await sit()).open(f"/start/?exam={exam_id}")
    keys = page.keyboard
    await page.get_by_label("Email").wait_for()
    await tab_to(page, "Email")
    await keys.type(student(22)[0])
    await tab_to(page, "Password")
    await keys.type(student(22)[1])
    await keys.press("Enter")
    await page.get_by_role("button", name="Start: your time starts now").wait_for()
    await press(page, "Start: your time starts now")
    exam = await ExamPage(page).is_open()

    await tab_to(page, "True")
    await keys.press("Space")
    await press(page, "Next")
    await tab_to(page, "Whale")
    await keys.press("Space")
    await press(page, "Next")
    await page.get_by_role("main").get_by_role("textbox").wait_for()
    await tab_to(page, "Explain gravity")
    await keys.type("It pulls.")
    await exam.is_saved()
    await press(page, "Review and submit")
    await press(page, "Submit")
    await press(page, "Submit the exam")
    await exam.is_handed_in()
