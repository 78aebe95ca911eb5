"""What holds for every page: accessibility in light and dark, one heading, no code of the other surface."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import AXE
from tests.browser.conftest import ExamOf, SitDown
from tests.browser.desk import ADMINISTRATOR, Account, student
from tests.browser.exam_page import ExamPage

NOBODY = None
A_STUDENT = student(4)
PAGES: list[tuple[str, Account | None]] = [
    ("/", NOBODY),
    ("/", A_STUDENT),
    ("/practice/", A_STUDENT),
    ("/results/", A_STUDENT),
    ("/start/?exam=unknown", A_STUDENT),
    ("/sit/?exam=unknown", A_STUDENT),
    ("/password/", NOBODY),
    ("/nowhere/", NOBODY),
    ("/admin/", NOBODY),
    ("/admin/", ADMINISTRATOR),
    ("/admin/", A_STUDENT),
    ("/admin/questions/", ADMINISTRATOR),
    ("/admin/questions/edit/", ADMINISTRATOR),
    ("/admin/imports/", ADMINISTRATOR),
    ("/admin/people/", ADMINISTRATOR),
    ("/admin/marking/", ADMINISTRATOR),
    ("/admin/audit/", ADMINISTRATOR),
]


def _names() -> Iterator[str]:
    for path, who in PAGES:
        yield f"{path} {who[0].partition('@')[0] if who else 'nobody'}"


@pytest.mark.parametrize(("path", "who"), PAGES, ids=_names())
async def test_nothing_keeps_anybody_out(sit: SitDown, path: str, who: Account | None) -> None:
    desk = await sit(who)
    page = await desk.open(path)
    await settled(page)
    await passes(page, path)
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    if not path.startswith("/admin"):
        assert [url for url in desk.scripts if "/api/v1/admin/" in await text(page, url)] == []


async def test_nothing_keeps_anybody_out_of_an_exam(sit: SitDown, exam_of: ExamOf) -> None:
    exam_id = await exam_of("single_choice", "multi_choice", "numeric", "text")
    page = await (await sit(student(27))).open("/")
    exam = await ExamPage.start(page, exam_id)
    await passes(page, "one question")
    await page.get_by_role("button", name="All on one page").first.click()
    await expect(page.get_by_role("textbox")).to_have_count(2)
    await passes(page, "all questions")
    await page.get_by_role("button", name="Keyboard shortcuts").click()
    await passes(page, "shortcuts")
    await page.get_by_role("button", name="Close").click()
    await exam.review.click()
    await passes(page, "review")
    await page.get_by_role("button", name="Submit", exact=True).click()
    await passes(page, "question before the submit")
    await page.get_by_role("button", name="Submit the exam").click()
    await exam.is_handed_in()
    await passes(page, "receipt")
    await page.get_by_role("link", name="See the result").click()
    await expect(page.get_by_role("heading", level=1, name="An exam")).to_be_visible()
    await passes(page, "result")


async def passes(page: Page, what: str) -> None:
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert await barriers(page) == [], f"{what} in {scheme}"


async def settled(page: Page) -> None:
    """The page has asked what it wants to know, and shows it."""
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_role("main")).to_be_visible()


async def barriers(page: Page) -> list[str]:
    """What axe finds, WCAG 2.2 AA and its best practices; in words and places."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}" for one in found]


async def text(page: Page, url: str) -> str:
    return await (await page.request.get(url)).text()
