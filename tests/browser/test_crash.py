"""A browser that dies while someone writes: what was typed a moment before is on the device."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from examkit.testing.waiting import eventually
from playwright.async_api import Page, async_playwright, expect

from tests.browser.chromium import FLAGS, executable
from tests.browser.conftest import ExamOf
from tests.browser.desk import student
from tests.browser.exam_page import ExamPage
from tests.browser.test_session import log_in_by_hand

JOURNALLED = """(text) => new Promise((done, failed) => {
  const opening = indexedDB.open("examhall-journal");
  opening.onerror = failed;
  opening.onsuccess = () => {
    const all = opening.result.transaction("answers").objectStore("answers").getAll();
    all.onsuccess = () => { opening.result.close(); done(JSON.stringify(all.result).includes(text)); };
  };
})"""


async def test_the_browser_is_killed_and_the_exam_goes_on(
    origin: str, exam_of: ExamOf, tmp_path: Path
) -> None:
    exam_id = await exam_of("text")
    async with a_browser_to_kill(tmp_path) as page:
        await page.goto(f"{origin}/start/?exam={exam_id}")
        await log_in_by_hand(page, *student(23))
        await page.get_by_role("button", name="Start: your time starts now").click()
        exam = await ExamPage(page).is_open()
        await page.route("**/student/save-answers", lambda route: route.abort())
        await exam.write("typed just before")

        async def is_journalled() -> bool:
            found: bool = await page.evaluate(JOURNALLED, "typed just before")
            return found

        await eventually(is_journalled)
    async with a_browser_to_kill(tmp_path) as page:
        await page.goto(f"{origin}/sit/?exam={exam_id}")
        # Whether the browser had written its cookies down is its own affair.
        if await needs_login(page):
            await log_in_by_hand(page, *student(23))
        exam = await ExamPage(page).is_open()
        await expect(exam.text).to_have_value("typed just before")
        await exam.is_saved()
        await exam.hand_in()


async def needs_login(page: Page) -> bool:
    password = page.get_by_label("Password")
    await expect(password.or_(ExamPage(page).review)).to_be_visible(timeout=30_000)
    return await password.is_visible()


@asynccontextmanager
async def a_browser_to_kill(profile: Path) -> AsyncIterator[Page]:
    """A tab of a browser with this profile, all of whose processes are killed at the end."""
    told = profile / "DevToolsActivePort"
    told.unlink(missing_ok=True)
    process = subprocess.Popen(
        [executable(), *FLAGS, "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:

        async def listens() -> bool:
            return told.exists() and told.read_text().count("\n") >= 1

        await eventually(listens, timeout=60)
        async with async_playwright() as playwright:
            port = told.read_text().split()[0]
            browser = await playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", timeout=90_000)
            yield await browser.contexts[0].new_page()
            os.killpg(process.pid, signal.SIGKILL)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
