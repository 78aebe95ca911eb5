"""The scenarios' system, from images; its people are those of the demo data."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.images.containers import Images
from tests.harness.api import ADMIN, STUDENT_PASSWORD, Admin


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    images = Images(Path(tmp_path_factory.mktemp("images")))
    try:
        images.up()
        asyncio.run(_people(images.url))
        yield images
    finally:
        images.down()


async def _people(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        admin = Admin(client)
        await admin.login(*ADMIN)
        for number in range(1, 101):
            person = {"email": f"student{number:03}@example.com", "name": f"Student {number}"}
            person |= {"role": "student", "password": STUDENT_PASSWORD}
            await admin.ok("POST", "/admin/users", json=person)
