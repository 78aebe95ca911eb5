"""The machine's own Chromium, or Chrome: nothing is downloaded."""

import os
import shutil
from pathlib import Path

from playwright.async_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

# No sandbox: root has none, and the only pages it sees are ours. The others keep it from calling its makers.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str:
    """CHROMIUM, or the first in the PATH. Raises AssertionError where there is none."""
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name)
    path = next(filter(None, found), None)
    assert path, "No Chromium in the PATH: `make test` installs it; CHROMIUM=/path/to/it names another."
    return path


async def launch(playwright: Playwright, **options: object) -> Browser:
    return await playwright.chromium.launch(executable_path=executable(), args=[*FLAGS], **options)  # type: ignore[arg-type]


AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
