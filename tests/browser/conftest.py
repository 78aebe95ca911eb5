"""One browser for a process's tests, and a desk for each person of a test."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.chromium import launch
from tests.browser.desk import Account, Desk, sit_down
from tests.conftest import Bank
from tests.harness.api import Admin
from tests.harness.system import System

ROOT = Path(__file__).parents[2]
KEPT_IN = ROOT / ".run" / "browser"
_failed = pytest.StashKey[bool]()

SitDown = Callable[..., Awaitable[Desk]]
ExamOf = Callable[..., Awaitable[str]]


def evidence(item: pytest.Item) -> Path:
    return KEPT_IN / item.name.replace("/", "_")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        shutil.rmtree(evidence(item), ignore_errors=True)
        item.stash[_failed] = report.failed
        if report.failed:
            report.sections.append(("pictures and traces (playwright show-trace)", str(evidence(item))))
    return report


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture(scope="package")
def origin(system: System) -> str:
    """Where the pages are."""
    assert (ROOT / "web" / "out" / "index.html").exists(), "there are no pages: make web"
    return system.url


@pytest.fixture
async def sit(browser: Browser, origin: str, request: pytest.FixtureRequest) -> AsyncIterator[SitDown]:
    """`await sit(student(3))`: a desk where that person is logged in; `await sit()`: nobody is.

    When the test ends, nothing of what no page may do must have happened at any of them.
    """
    desks: list[Desk] = []

    async def give(who: Account | None = None, **options: object) -> Desk:
        desk = await sit_down(browser, origin, **options)
        desks.append(desk)
        if who:
            await desk.log_in(who)
        return desk

    yield give
    kept = evidence(request.node) if request.node.stash.get(_failed, False) else None
    for number, desk in enumerate(desks):
        await desk.leave(kept / f"desk-{number}" if kept else None)
    assert [fault for desk in desks for fault in desk.faults] == []


@pytest.fixture
def exam_of(admin: Admin, bank: Bank) -> ExamOf:
    """`await exam_of("single_choice", "text")`: an open exam with a question of each type, in this order."""

    async def make(*types: str, **settings: object) -> str:
        questions = [await admin.ok("GET", f"/admin/questions/{one}") for one in bank[1]]
        chosen = [next(one["id"] for one in questions if one["type"] == kind) for kind in types]
        return await admin.exam(chosen, **{"shuffle_questions": False, **settings})

    return make
