"""What the exam page costs a device, with 200 questions: `python -m tests.browser.measure`.

It prints and judges nothing. It starts a copy of the system of its own. Run it on a quiet machine.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from playwright.async_api import Page, async_playwright

from tests.browser.chromium import launch
from tests.browser.desk import Desk, sit_down, student
from tests.browser.exam_page import ExamPage
from tests.harness.api import ADMIN, Admin
from tests.harness.oracle import Authored
from tests.harness.system import System
from tests.harness.workbooks import xlsx

QUESTIONS = 200
KEYS = 150

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
FIRST_PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0].startTime"""


async def an_exam(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        admin = Admin(http)
        await admin.login(*ADMIN)
        rows = [Authored("short_text", f"Long paper, question {n}?", ["x"]).row() for n in range(QUESTIONS)]
        job = await admin.import_file("long.xlsx", xlsx(rows), "questions")
        assert job["imported"] == QUESTIONS, job
        return await admin.exam([one["id"] for one in await admin.bank(q="Long paper")])


async def first_view(desk: Desk, exam_id: str) -> Page:
    """A device that has never been here."""
    page = await desk.open("/")
    await page.get_by_role("heading", name="My exams").wait_for()
    print(f"my exams: first paint after {await page.evaluate(FIRST_PAINT):.0f} ms")
    exam = await ExamPage.start(page, exam_id)
    await page.goto("about:blank")
    started = time.perf_counter()
    await page.goto(f"/sit/?exam={exam_id}")
    await exam.text.first.wait_for()
    print(f"exam page: first question after {(time.perf_counter() - started) * 1000:.0f} ms")
    print(f"exam page: {await page.evaluate(SCRIPT_BYTES) / 1000:.0f} KB of script until then, as sent")
    return page


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
                desk = await sit_down(await launch(playwright), system.url)
                await desk.log_in(student(1))
                page = await first_view(desk, exam_id)
                await typing(page, "one question at a time")
                await page.get_by_role("button", name="All on one page").first.click()
                await typing(page, "all on one page")
        finally:
            system.down()


if __name__ == "__main__":
    asyncio.run(main())
