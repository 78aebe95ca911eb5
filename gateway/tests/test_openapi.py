"""The OpenAPI is true: what it promises is what comes, whatever is sent."""

import asyncio
import json
import re

import gateway_running_samples as running_samples
import gateway_samples as samples
import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
async def document(gateway):
    return (await gateway.anonymous.get("/api/v1/openapi.json")).json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            yield path, method, operation


def for_students(path):
    return path.startswith("/api/v1/student/")


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


async def test_it_is_complete(document):
    found = {f"{method.upper()} {path}" for path, method, _ in operations(document)}
    for wanted in (
        "POST /api/v1/student/save-answer",
        "POST /api/v1/student/save-answers",
        "POST /api/v1/student/submit/{student_exam_id}",
        "GET /api/v1/admin/audit",
        "GET /api/v1/admin/imports/{import_id}/errors.xlsx",
        "GET /.well-known/jwks.json",
    ):
        assert wanted in found
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    assert not [name for name in schemas if "__" in name or "Validation" in name]


def keywords(value):
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from keywords(part)


async def test_bounds_are_in_words_of_json_schema(document):
    assert not {"ge", "gt", "le", "lt", "multiple_of"} & set(keywords(document["components"]["schemas"]))


async def test_every_operation_tells_its_failures(document):
    for path, _, operation in operations(document):
        assert operation["tags"]
        assert operation["summary"]
        failed = {status: one for status, one in operation["responses"].items() if int(status) >= 400}
        assert {"429", "500", "503"} <= failed.keys()
        for response in failed.values():
            (kind,) = response["content"]
            assert kind == "application/problem+json"
        if path.startswith(("/api/v1/student", "/api/v1/admin")):
            assert operation["security"] == [{"bearer": []}]
            assert {"401", "403"} <= failed.keys()
        if "requestBody" in operation:
            assert {"413", "422"} <= failed.keys()
        if "{" in path:
            assert "404" in failed


async def test_no_key_in_what_students_get(document):
    """The words of staff's question shapes appear in no student operation."""
    student = {path: one for path, one in document["paths"].items() if for_students(path)}
    seen, waiting = set(), set(references(student))
    while waiting:
        name = waiting.pop().rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            waiting |= set(references(document["components"]["schemas"][name]))
    assert seen
    for name in seen:
        assert "key" not in document["components"]["schemas"][name].get("properties", {})


ENDLESS = {"watch_exam"}
"""Streams that go on for as long as somebody reads: test_monitor looks at them."""
BODIES = {
    "login": {"email": "a@example.com", "password": "p"},
    "save_answer": {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION, "answer": "B"},
    "save_answers": {
        "student_exam_id": samples.ATTEMPT,
        "answers": [{"question_id": samples.QUESTION, "answer": ["A"]}],
    },
    "submit": {"student_exam_id": samples.ATTEMPT},
    "record_events": {
        "student_exam_id": samples.ATTEMPT,
        "events": [{"kind": "copy", "at": "2026-05-04T12:00:00Z"}],
    },
    "create_question": {"type": "text", "text": "Why?"},
    "put_accommodations": [{"email": "a@example.com", "extra_time_percent": 25}],
    "create_incident": {"action": "pause", "scope": {"exam": True}, "reason": "why"},
    "undo_incident": {"reason": "why"},
    "extend_attempt": {"minutes": 5, "reason": "why"},
    **{f"{what}_attempt": {"reason": "why"} for what in ("pause", "resume", "void", "reopen")},
    "edit_question": {"type": "text", "text": "Why?", "version": 1},
    "create_exam": {"title": "B", "duration_minutes": 60},
    "update_exam": {"title": "B"},
    "set_exam_questions": {"questions": [{"question_id": samples.QUESTION}]},
    "set_roster": {"all": True},
    "put_own_accommodation": {"extra_time_percent": 25},
    "put_accommodation": {"extra_time_percent": 25},
    "put_mark": {"score": 1},
    "put_marks": {
        "marks": [{"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION, "score": 1}]
    },
    "claim_next_answers": {"limit": 5},
    "regrade": {"question_id": samples.QUESTION, "policy": "exclude"},
    "roll_back_regrade": {"reason": "A mistake."},
    "create_user": {"email": "a@example.com", "name": "A"},
    "update_user": {"active": False},
    "report_from_page": {"oldest_unsaved_seconds": 3.5},
    "change_password": {"current_password": "a", "new_password": "b"},
    "set_password": {"token": "a", "new_password": "b"},
}


async def test_what_comes_is_what_is_promised(gateway, fakes, document):
    """Every operation once, with answers of every service: status, type and shape."""
    fakes.answers |= samples.everything() | running_samples.everything()
    for path, method, operation in operations(document):
        name = operation["operationId"]
        if name in ENDLESS:
            continue
        client = gateway.student if for_students(path) else gateway.admin
        arguments = {"json": BODIES[name]} if name in BODIES else {}
        if name == "create_import":
            arguments = {"files": {"file": ("a.xlsx", b"PK")}, "data": {"kind": "users"}}
        if name in ("add_answer_file", "add_question_file"):
            data = {"student_exam_id": samples.ATTEMPT, "question_id": samples.QUESTION}
            arguments = {
                "files": {"file": ("a.png", b"PNG")},
                "data": data if name == "add_answer_file" else {},
            }
        if name == "get_import_template":
            arguments = {"params": {"kind": "users"}}
        if name == "refresh":
            arguments = {"headers": {"cookie": "refresh_token=r"}}
        reply = await client.request(method.upper(), re.sub(r"{\w+}", samples.EXAM, path), **arguments)
        assert reply.status_code < 300, (name, reply.text)
        conforms(document, operation, reply)
        assert str(reply.status_code) in operation["responses"]


def conforms(document, operation, reply):
    promised = operation["responses"].get(str(reply.status_code))
    assert promised is not None, f"{operation['operationId']} gave {reply.status_code}: {reply.text[:500]}"
    if not promised.get("content"):
        assert not reply.content
        return
    kind = reply.headers["content-type"].partition(";")[0]
    assert kind in promised["content"], (operation["operationId"], reply.status_code, kind)
    schema = promised["content"][kind].get("schema")
    if "json" in kind and schema:
        schema = {"components": document["components"], **schema}
        jsonschema_rs.validator_for(schema).validate(json.loads(reply.content))


# The gateway, in the same process, draws trace ids while cases are drawn.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_whatever_is_sent_is_answered_as_promised(gateway, fakes, document):
    """Generated requests, fitting the schema and not: never a 5xx, never an undocumented answer."""
    fakes.answers |= samples.everything() | running_samples.everything()
    headers = {role: dict(getattr(gateway, role).headers) for role in ("student", "admin")}

    def fuzz() -> int:
        schema = schemathesis.openapi.from_dict(document)
        count = 0
        with httpx.Client(base_url=gateway.url, timeout=20) as client:
            for result in schema.get_all_operations():
                operation = result.ok()
                if operation.definition.raw["operationId"] in ENDLESS:
                    continue
                told = document["paths"][operation.path][operation.method.lower()]
                role = "student" if for_students(operation.path) else "admin"
                for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                    count += attack(client, operation, told, headers[role], mode)
        return count

    def attack(client, operation, told, signed_in, mode) -> int:
        count = 0

        @settings(
            max_examples=6,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def once(case):
            nonlocal count
            sent = case.as_transport_kwargs(base_url=gateway.url)
            own = {
                name: value
                for name, value in (sent.pop("headers", None) or {}).items()
                if name != "User-Agent"
            }
            request = requests_to_httpx(client, sent, own | {"authorization": signed_in["authorization"]})
            if request is None:
                return
            reply = client.send(request)
            count += 1
            assert reply.status_code < 500, (operation.label, request.content[:300], reply.text)
            if reply.status_code != 405:
                conforms(document, told, reply)

        try:
            once()
        except Exception as error:
            if "Unsatisfiable" not in type(error).__name__:
                raise
        return count

    assert await asyncio.to_thread(fuzz) > 300


def requests_to_httpx(client, sent, headers):
    """What schemathesis would send by requests, prepared by requests itself, as an httpx request."""
    import requests

    sent.pop("timeout", None)
    try:
        prepared = requests.Request(headers=headers, **sent).prepare()
    except (ValueError, UnicodeError, requests.RequestException):
        return None
    try:
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        return client.build_request(
            prepared.method, prepared.url, headers=dict(prepared.headers), content=body
        )
    except (ValueError, UnicodeError, httpx.InvalidURL):
        return None
