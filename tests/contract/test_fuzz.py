"""Wrong input to every endpoint gives the contract's error, never a 500: schemathesis over the OpenAPI."""

import os
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.harness.api import ADMIN, STUDENT_PASSWORD
from tests.harness.system import System

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def api_schema(system: System) -> Any:
    return schemathesis.openapi.from_url(f"{system.url}/api/v1/openapi.json", wait_for_schema=10)


schema = schemathesis.pytest.from_fixture("api_schema")


def login(system: System, email: str, password: str) -> dict[str, str]:
    body = {"email": email, "password": password}
    answer = httpx.post(f"{system.url}/api/v1/auth/login", json=body)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_no_input_breaks_it(case: Any, system: System) -> None:
    student = "/student/" in case.path
    who = ("student100@example.com", STUDENT_PASSWORD) if student else ADMIN
    key = (system.url, who)
    if key not in _tokens or case.path.startswith("/api/v1/auth"):
        _tokens[key] = login(system, *who)
    case.call_and_validate(headers=_tokens[key], checks=CHECKS, timeout=30)


_tokens: dict[Any, dict[str, str]] = {}
