"""Wrong input to every endpoint gives the contract's error, never a 500: schemathesis over the OpenAPI."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.api import ADMIN, STUDENT_PASSWORD, Caller
from tests.harness.system import System

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "3")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
STUDENT = ("student100@example.com", STUDENT_PASSWORD)


@pytest.fixture(scope="module")
def prey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A copy of its own: an admin's fuzzed calls deactivate people and close exams."""
    copy = System(Path(tmp_path_factory.mktemp("fuzzed")) / "state")
    copy.up()
    yield copy
    copy.down()


@pytest.mark.parametrize(
    ("paths", "who"),
    [
        ("^/api/v1/student", STUDENT),
        # It ends the session that it uses.
        ("^(?!/api/v1/(admin|student))", STUDENT),
        ("^/api/v1/admin", ADMIN),
    ],
    ids=["student", "the rest", "admin"],
)
async def test_no_input_breaks_it(prey: System, tmp_path: Path, paths: str, who: tuple[str, str]) -> None:
    async with httpx.AsyncClient(base_url=prey.url, timeout=30) as http:
        caller = Caller(http)
        await caller.login(*who)
    words = ["run", f"{prey.url}/api/v1/openapi.json", "--include-path-regex", paths]
    words += ["--header", f"Authorization: Bearer {caller.token}", "--checks", CHECKS]
    words += ["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES]
    words += ["--generation-deterministic", "--no-color", "--suppress-health-check", "all"]
    done = subprocess.run(
        [Path(sys.executable).with_name("st"), *words],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
