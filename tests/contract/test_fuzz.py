"""Wrong input to every endpoint gives the contract's error, never a 500: schemathesis over the OpenAPI."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.harness.api import ADMIN, STUDENT_PASSWORD, Caller
from tests.harness.system import System

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "3")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
STUDENT = ("student100@example.com", STUDENT_PASSWORD)


@pytest.mark.parametrize(
    ("paths", "who"),
    [
        ("^/api/v1/admin", ADMIN),
        ("^/api/v1/student", STUDENT),
        # Last, since it ends the session that it uses.
        ("^(?!/api/v1/(admin|student))", STUDENT),
    ],
    ids=["admin", "student", "the rest"],
)
async def test_no_input_breaks_it(
    system: System, http: httpx.AsyncClient, tmp_path: Path, paths: str, who: tuple[str, str]
) -> None:
    caller = Caller(http)
    await caller.login(*who)
    words = ["run", f"{system.url}/api/v1/openapi.json", "--include-path-regex", paths]
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
