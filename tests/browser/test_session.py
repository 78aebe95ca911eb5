"""Coming in and going out, by what a person sees."""

import re

from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.desk import ADMINISTRATOR, student


async def log_in_by_hand(page: Page, email: str, password: str) -> None:
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def test_a_student_logs_in_stays_so_and_logs_out(sit: SitDown) -> None:
    desk = await sit()
    page = await desk.open("/")
    await log_in_by_hand(page, *student(1))
    who = page.locator("summary", has_text="Demo Student 001")
    await expect(who).to_be_visible()
    await expect(page.get_by_label("Password")).to_have_count(0)

    await page.reload()
    await expect(who).to_be_visible()

    other = await desk.open("/")
    await expect(other.locator("summary", has_text="Demo Student 001")).to_be_visible()
    await who.click()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_label("Email")).to_be_visible()
    await expect(other.get_by_label("Email")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Email")).to_be_visible()


async def test_a_wrong_password_is_said_and_the_address_stays(sit: SitDown) -> None:
    page = await (await sit()).open("/")
    await log_in_by_hand(page, student(2)[0], "not the password")
    await expect(page.get_by_role("alert").filter(has_text="don't belong together")).to_be_visible()
    await expect(page.get_by_label("Email")).to_have_value(student(2)[0])
    await expect(page.get_by_label("Password")).to_have_value("")


async def test_each_is_shown_the_way_to_their_own_pages(sit: SitDown) -> None:
    page = await (await sit(student(2))).open("/admin/")
    await page.get_by_role("link", name="Go to my exams").click()
    await expect(page).to_have_url(re.compile(r"/$"))
    page = await (await sit(ADMINISTRATOR)).open("/")
    await page.get_by_role("link", name="Go to the administration").click()
    await expect(page).to_have_url(re.compile(r"/admin/$"))


async def test_no_token_is_kept_in_the_browser(sit: SitDown) -> None:
    desk = await sit(student(3))
    page = await desk.open("/")
    await expect(page.locator("summary", has_text="Demo Student 003")).to_be_visible()
    kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in kept
    assert all(cookie["httpOnly"] for cookie in await desk.context.cookies())
