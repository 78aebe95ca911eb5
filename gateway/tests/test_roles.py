"""Staff who are no admins: what their roles let them do, and nothing else."""

import re

import gateway_samples as samples
import pytest
from exam_gateway.guards.roles import STAFF_OPERATIONS


@pytest.fixture
async def operations(gateway):
    """(operation id, method, path) of staff's surface, each parameter filled."""
    document = (await gateway.anonymous.get("/api/v1/openapi.json")).json()
    return [
        (operation["operationId"], method.upper(), re.sub(r"{\w+}", samples.EXAM, path))
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/admin/")
        for method, operation in methods.items()
    ]


async def test_only_what_is_there_is_given(operations):
    assert STAFF_OPERATIONS.keys() <= {name for name, _, _ in operations}


@pytest.mark.parametrize("role", ["admin", "marker", "invigilator", "student", "janitor", ""])
async def test_who_is_let_in(gateway, fakes, operations, role):
    """Who is not let in gets 403 before anything is read; whoever is, at most finds fakes without answers."""
    async with gateway.client(role) as client:
        for name, method, path in operations:
            reply = await client.request(method, path)
            let_in = role in STAFF_OPERATIONS.get(name, {"admin"})
            assert (reply.status_code != 403) == let_in, (role, name)
            if not let_in:
                assert reply.json()["code"] == "forbidden"
                assert reply.headers["content-type"].startswith("application/problem+json")
    assert role in {"admin", "marker", "invigilator"} or not fakes.calls
