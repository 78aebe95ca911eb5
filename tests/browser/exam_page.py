"""The exam page as a person meets it: by labels and headings, never by the makings of the page."""

import re

from playwright.async_api import Locator, Page, expect

SAVE_SECONDS = 90
SAVED = re.compile(r"Saved \d")


class ExamPage:
    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def start(cls, page: Page, exam_id: str) -> "ExamPage":
        """From the page before the start to the first question."""
        await page.goto(f"/start/?exam={exam_id}")
        await page.get_by_role("button", name="Start: your time starts now").click()
        return await cls(page).is_open()

    @classmethod
    async def resume(cls, page: Page, exam_id: str) -> "ExamPage":
        await page.goto(f"/sit/?exam={exam_id}")
        return await cls(page).is_open()

    async def is_open(self) -> "ExamPage":
        await expect(self.review).to_be_visible(timeout=30_000)
        return self

    @property
    def text(self) -> Locator:
        """Where the answer to a question in words is written."""
        return self.page.get_by_role("main").get_by_role("textbox")

    @property
    def review(self) -> Locator:
        return self.page.get_by_role("button", name="Review and submit").first

    async def write(self, answer: str) -> None:
        await self.text.fill(answer)

    async def choose(self, option: str) -> None:
        await self.page.get_by_role("radio", name=option).check()

    async def next(self) -> None:
        await self.page.get_by_role("button", name="Next", exact=True).click()

    async def says(self, badge: str) -> None:
        """What the badge tells of the answers, soon."""
        await expect(self.page.get_by_text(badge).first).to_be_visible(timeout=SAVE_SECONDS * 1000)

    async def is_saved(self) -> None:
        """By the word of the server: "Saved 10:42:07"."""
        await expect(self.page.get_by_text(SAVED).first).to_be_visible(timeout=SAVE_SECONDS * 1000)

    async def hand_in(self) -> None:
        await self.review.click()
        await self.page.get_by_role("button", name="Submit", exact=True).click()
        await self.page.get_by_role("button", name="Submit the exam").click()
        await self.is_handed_in()

    async def is_handed_in(self, heading: str = "Your exam is submitted") -> None:
        await expect(self.page.get_by_role("heading", name=heading)).to_be_visible(timeout=60_000)
