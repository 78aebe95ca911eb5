"""The pictures of the README, taken anew into docs/pictures: `python -m tests.browser.pictures`.

It starts a copy of the system of its own, with the pages of web/out (`make web`).
"""

import asyncio
import tempfile
from pathlib import Path

import httpx
from playwright.async_api import Browser, ViewportSize, async_playwright

from tests.browser.chromium import launch
from tests.browser.desk import Account, sit_down, student
from tests.browser.exam_page import ExamPage
from tests.harness.api import STUDENT_PASSWORD, Student
from tests.harness.system import System

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
# By name: whose exam, how wide and high the window, in which scheme.
PICTURES: dict[str, tuple[Account, ViewportSize, str]] = {
    "exam.png": (student(1), {"width": 1280, "height": 800}, "light"),
    "exam-phone.png": (student(2), {"width": 390, "height": 844}, "dark"),
}


async def demo_exam(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        person = Student(http)
        await person.login("student001@example.com", STUDENT_PASSWORD)
        (exam,) = (await person.ok("GET", "/student/exams"))["items"]
        found: str = exam["id"]
        return found


async def picture(browser: Browser, url: str, exam_id: str, name: str) -> None:
    """One question of the demo's exam, answered and saved."""
    who, size, scheme = PICTURES[name]
    desk = await sit_down(browser, url, trace=False, color_scheme=scheme)
    await desk.log_in(who)
    exam = await ExamPage.start(await desk.open("/"), exam_id)
    await exam.page.get_by_role("radio").first.check()
    await exam.is_saved()
    await exam.page.set_viewport_size(size)
    await exam.page.mouse.move(0, 0)
    await exam.page.screenshot(path=FOLDER / name, animations="disabled")
    await desk.leave(None)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder) / "state")
        system.up()
        try:
            exam_id = await demo_exam(system.url)
            async with async_playwright() as playwright:
                browser = await launch(playwright)
                for name in PICTURES:
                    await picture(browser, system.url, exam_id, name)
                await browser.close()
        finally:
            system.down()


if __name__ == "__main__":
    asyncio.run(main())
