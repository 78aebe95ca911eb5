"""An administrator's way, by hand: from a workbook to an exam that a student finds in their list."""

import secrets

from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.desk import ADMINISTRATOR, student
from tests.harness.api import XLSX
from tests.harness.oracle import Authored
from tests.harness.workbooks import xlsx


def workbook(mark: str) -> bytes:
    questions = [
        Authored("single_choice", f"{mark}: which one is $x^2$?", ["square"], ("square", "cube")),
        Authored("true_false", f"{mark}: water is wet.", True),
        Authored("text", f"{mark}: tell what you see."),
    ]
    return xlsx(one.row() for one in questions)


async def test_from_a_workbook_to_a_published_exam(sit: SitDown) -> None:
    mark = f"By hand {secrets.token_hex(3)}"
    page = await (await sit(ADMINISTRATOR)).open("/admin/imports/")
    await import_by_hand(page, workbook(mark))
    await page.get_by_role("link", name="Exams").click()
    await draft_by_hand(page, mark)
    await publish_by_hand(page)

    students = await (await sit(student(21))).open("/")
    card = students.get_by_role("article", name=mark)
    await expect(card.get_by_text("3 questions")).to_be_visible()


async def import_by_hand(page: Page, content: bytes) -> None:
    await page.locator("input[type=file]").set_input_files(
        {"name": "exam.xlsx", "mimeType": XLSX, "buffer": content}
    )
    await page.get_by_role("button", name="Check the file").click()
    await expect(page.get_by_text("Checked: no errors")).to_be_visible(timeout=60_000)
    await page.get_by_role("button", name="Import 3 rows").click()
    await expect(page.get_by_text("3 rows were imported")).to_be_visible(timeout=60_000)


async def draft_by_hand(page: Page, mark: str) -> None:
    await page.get_by_role("button", name="New exam").first.click()
    dialog = page.get_by_role("dialog", name="New exam")
    await dialog.get_by_label("Title").fill(mark)
    await dialog.get_by_role("button", name="Make the draft").click()
    await page.get_by_role("tab", name="Questions").click()
    await page.get_by_role("button", name="Pick from the bank").click()
    picker = page.get_by_role("dialog", name="Pick questions")
    await picker.get_by_label("Search in the text").fill(mark)
    await picker.get_by_label("Pick all 3 shown").check()
    await picker.get_by_role("button", name="Add 3 questions").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Nothing is missing")).to_be_visible()


async def publish_by_hand(page: Page) -> None:
    await page.get_by_role("button", name="Publish", exact=True).click()
    dialog = page.get_by_role("dialog", name="Publish this exam?")
    await dialog.get_by_role("button", name="Publish now").click()
    await expect(page.get_by_text("The exam is published.")).to_be_visible(timeout=60_000)
