"""Without a network: students' pages open all the same, and a new build waits for the end of the exam."""

from examkit.testing.waiting import eventually
from playwright.async_api import Error, Page, Route, expect

from tests.browser.conftest import SitDown
from tests.browser.desk import Desk, student

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
  return found;
}"""

# The browser's own look comes whenever it likes.
LOOK_FOR_A_NEW_BUILD = (
    "navigator.serviceWorker.getRegistration().then((found) => found.update()).then(() => {})"
)
# An empty tab has no such thing.
NOTE_ITS_ASKING = """if (window.ServiceWorker) {
  const post = ServiceWorker.prototype.postMessage;
  ServiceWorker.prototype.postMessage = function (...all) { post.apply(this, all); window.asked = true; };
}"""
WAITS = "navigator.serviceWorker.getRegistration().then((found) => found.waiting !== null)"


async def kept_for_later(page: Page) -> None:
    """The service worker has what it needs, and looks after this page."""
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function("navigator.serviceWorker.controller !== null")


async def opened(desk: Desk, path: str = "/") -> Page:
    page = await desk.open(path)
    await kept_for_later(page)
    return page


async def test_students_pages_open_without_a_network(sit: SitDown) -> None:
    desk = await sit(student(5))
    page = await opened(desk)
    await desk.context.set_offline(True)
    await page.reload()
    await expect(page.get_by_text("There is no connection")).to_be_visible()
    await page.goto("/?exam=of-some-id")
    await expect(page.get_by_role("banner")).to_be_visible()
    await desk.context.set_offline(False)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("summary", has_text="Demo Student 005")).to_be_visible()


async def test_nothing_of_the_api_or_of_staff_is_kept(sit: SitDown) -> None:
    desk = await sit(student(5))
    page = await opened(desk)
    kept = await page.evaluate(KEPT)
    assert "/index.html" in kept
    assert [path for path in kept if path.startswith(("/api/", "/admin/", "/files/"))] == []
    scripts = [path for path in kept if path.endswith(".js")]
    texts = await page.evaluate(
        "paths => Promise.all(paths.map(async (path) => (await fetch(path)).text()))", scripts
    )
    assert [path for path, text in zip(scripts, texts, strict=True) if "/api/v1/admin/" in text] == []


async def test_a_new_build_waits_until_one_page_is_left(sit: SitDown) -> None:
    desk = await sit(student(5))
    await desk.context.add_init_script(NOTE_ITS_ASKING)
    await desk.context.route("**/sw.js", older_build)
    page = await opened(desk)
    await desk.context.unroute_all()
    other = await opened(desk)
    await page.evaluate(LOOK_FOR_A_NEW_BUILD)
    await eventually(lambda: new_build_waits(page), timeout=30)

    # Two pages: whichever is loaded anew still gets the build that the other one has.
    await page.reload()
    await eventually(lambda: has_asked(page), timeout=30)
    assert await new_build_waits(page)

    await other.close()
    await page.reload()

    async def has_taken_over() -> bool:
        return not await new_build_waits(page)

    await eventually(has_taken_over, timeout=30)


async def has_asked(page: Page) -> bool:
    asked: bool = await page.evaluate("window.asked === true")
    return asked


async def new_build_waits(page: Page) -> bool:
    try:
        found: bool = await page.evaluate(WAITS)
    except Error:  # it is being loaded anew
        return True
    return found


async def older_build(route: Route) -> None:
    response = await route.fetch()
    await route.fulfill(response=response, body=f"{await response.text()}\n// an older build")
