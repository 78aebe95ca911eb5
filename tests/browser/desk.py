"""A person before a browser: a context of their own, what it may never do, what is kept of a failure."""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.harness.api import ADMIN, STUDENT_PASSWORD

Account = tuple[str, str]

VIOLATION = "content security policy:"
REPORT_VIOLATIONS = f"""document.addEventListener('securitypolicyviolation', (event) =>
  console.error('{VIOLATION}', event.violatedDirective, event.blockedURI, event.sourceFile));"""

ADMINISTRATOR: Account = ADMIN


def student(number: int) -> Account:
    """One of the hundred of the demo data."""
    return f"student{number:03}@example.com", STUDENT_PASSWORD


@dataclass
class Desk:
    """`scripts`: the addresses of all scripts that were loaded. `faults`: what no page may do."""

    context: BrowserContext
    origin: str
    scripts: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        await self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        self.context.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.text.startswith(VIOLATION):
            self.faults.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "blob:", "data:")):
            self.faults.append(f"asked elsewhere: {request.url}")
        if request.resource_type == "script":
            self.scripts.add(request.url)

    async def log_in(self, account: Account) -> None:
        """Without the form: the context has the cookie, and the next page finds who is logged in."""
        email, password = account
        response = await self.context.request.post(
            "/api/v1/auth/login", data={"email": email, "password": password}
        )
        assert response.ok, await response.text()

    async def open(self, path: str = "/") -> Page:
        """A tab with this page."""
        page = await self.context.new_page()
        await page.goto(path)
        return page

    async def leave(self, evidence: Path | None) -> None:
        """Close the context; first keep a trace and a picture of each tab, where a folder is given."""
        if evidence:
            evidence.mkdir(parents=True, exist_ok=True)
            for number, page in enumerate(self.context.pages):
                await page.screenshot(path=evidence / f"tab-{number}.png", full_page=True)
            await self.context.tracing.stop(path=evidence / "trace.zip")
        await self.context.close()


async def sit_down(browser: Browser, origin: str, *, trace: bool = True, **options: object) -> Desk:
    """`trace`: keep what a failure is understood by, which costs time."""
    context = await browser.new_context(base_url=origin, locale="en-GB", **options)  # type: ignore[arg-type]
    if trace:
        await context.tracing.start(snapshots=True)
    desk = Desk(context, origin)
    await desk.watch()
    return desk
