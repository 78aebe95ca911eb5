"""How soon pages are there, and what the exam page costs a device: `python -m tests.browser.measure`.

It prints and judges nothing. It starts a copy of the system of its own. Run it on a quiet machine.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.chromium import launch
from tests.browser.desk import Account, sit_down, student
from tests.browser.exam_page import ExamPage
from tests.harness.api import ADMIN, Admin
from tests.harness.oracle import Authored
from tests.harness.system import System
from tests.harness.workbooks import xlsx

QUESTIONS = 200
KEYS = 150
FIRST_VIEWS = 7

# From a key to the frame that shows it, as the browser times it: in steps of 8 ms, 16 at the least.
TIMES_OF_KEYS = """() => {
  window.keys = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === "keydown") window.keys.push(entry.duration);
  }).observe({ type: "event", durationThreshold: 16, buffered: false });
}"""
SCRIPT_BYTES = """() => performance.getEntriesByType("resource")
  .filter((one) => one.initiatorType === "script" || one.name.endsWith(".js"))
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
# ms since the address was entered: first paint, the largest thing on the page painted, all of it loaded.
TIMES_OF_VIEW = """async () => {
  const largest = await new Promise((done) => {
    const observer = new PerformanceObserver((list) => done(list.getEntries().at(-1)));
    observer.observe({ type: "largest-contentful-paint", buffered: true });
  });
  const [painted] = performance.getEntriesByName("first-contentful-paint");
  const [navigation] = performance.getEntriesByType("navigation");
  return [painted.startTime, largest.startTime, navigation.loadEventEnd];
}"""


async def an_exam(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        admin = Admin(http)
        await admin.login(*ADMIN)
        rows = [Authored("short_text", f"Long paper, question {n}?", ["x"]).row() for n in range(QUESTIONS)]
        job = await admin.import_file("long.xlsx", xlsx(rows), "questions")
        assert job["imported"] == QUESTIONS, job
        return await admin.exam([one["id"] for one in await admin.bank(q="Long paper")])


async def first_views(browser: Browser, url: str, who: Account | None, path: str, shows: str) -> None:
    """By devices that have never been here, with an empty cache; `shows`: a heading that must be there."""
    views: list[list[float]] = []
    for _ in range(FIRST_VIEWS):
        desk = await sit_down(browser, url, trace=False)
        if who:
            await desk.log_in(who)
        page = await desk.open(path)
        await page.get_by_role("heading", name=shows).wait_for()
        views.append(await page.evaluate(TIMES_OF_VIEW))
        script = await page.evaluate(SCRIPT_BYTES) / 1000
        await desk.leave(None)
    first, largest, load = zip(*views, strict=True)
    print(
        f"{shows}: first paint {statistics.median(first):.0f} ms, largest {statistics.median(largest):.0f} "
        f"(at most {max(largest):.0f}), loaded {statistics.median(load):.0f}; {script:.0f} KB of script"
    )


async def typing(page: Page, layout: str) -> None:
    await page.get_by_role("main").get_by_role("textbox").first.click()
    await page.evaluate(TIMES_OF_KEYS)
    for n in range(KEYS):
        await page.keyboard.press("abcdefghij"[n % 10])
    took = sorted(await page.evaluate("window.keys"))
    took = [0.0] * (KEYS - len(took)) + took
    print(
        f"typing, {layout}: of {KEYS} keys {sum(one < 50 for one in took)} under 50 ms; "
        f"median {statistics.median(took):.0f}, 95th {took[int(KEYS * 0.95)]:.0f}, most {took[-1]:.0f} ms"
    )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder) / "state")
        system.up()
        try:
            exam_id = await an_exam(system.url)
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                desk = await sit_down(browser, system.url)
                await desk.log_in(student(1))
                exam = await ExamPage.start(await desk.open("/"), exam_id)
                for who, path, shows in (
                    (None, "/", "Log in"),
                    (student(1), "/", "My exams"),
                    (student(1), f"/sit/?exam={exam_id}", "Question 1"),
                ):
                    await first_views(browser, system.url, who, path, shows)
                await typing(exam.page, "one question at a time")
                await exam.page.get_by_role("button", name="All on one page").first.click()
                await typing(exam.page, "all on one page")
        finally:
            system.down()


if __name__ == "__main__":
    asyncio.run(main())
