"""What people type, and what proves who they are, is looked for in every log; what one must tell is there."""

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
from examkit.testing.waiting import eventually

from tests.conftest import Bank, Class
from tests.harness.api import Admin, Json, Student
from tests.harness.system import System
from tests.harness.workbooks import xlsx

SERVICES = {"gateway", "auth", "exam", "grading", "import"}


@dataclass
class Secrets:
    """Words that occur nowhere else, by what they stand for."""

    found: dict[str, str] = field(default_factory=dict)

    def make(self, what: str) -> str:
        return self.found.setdefault(what, f"{what}-{secrets.token_hex(8)}")


def logged(system: System) -> dict[str, list[Json]]:
    """The JSON lines of each service's log; what gRPC's C core says on its own account is none."""
    found: dict[str, list[Json]] = {}
    for name in SERVICES:
        lines = (system.state_dir / "logs" / f"{name}.log").read_text().splitlines()
        found[name] = [json.loads(line) for line in lines if line.startswith("{")]
    return found


async def newcomer(system: System, admin: Admin, hidden: Secrets, http: httpx.AsyncClient) -> Student:
    """A student whose address, name and password are secrets, made by a workbook; the tokens are, too."""
    email, password = f"{hidden.make('address')}@example.com", hidden.make("password")
    row = {"email": email, "name": hidden.make("name"), "groups": "", "password": password}
    job = await admin.import_file("users.xlsx", xlsx([row]), "users")
    assert job["imported"] == 1, job
    wrong = {"email": email, "password": hidden.make("wrong-password")}
    student = Student(http)
    assert (await student.call("POST", "/auth/login", json=wrong)).status_code == 401
    await student.login(email, password)
    changed = hidden.make("new-password")
    await student.ok("POST", "/auth/password", json={"current_password": password, "new_password": changed})
    await student.login(email, changed)
    hidden.found |= {"token": student.token, "cookie": next(iter(http.cookies.jar)).value or ""}
    return student


async def sit(student: Student, attempt: Json, hidden: Secrets) -> None:
    """Answers of every kind, good and bad, under a wrong id too, and a body that is no JSON."""
    for number, question in enumerate(attempt["questions"]):
        word = hidden.make(f"answer{number}")
        one = {"student_exam_id": attempt["student_exam_id"], "question_id": question["id"]}
        for answer in (word, [word], {"is": word}, f"{word}\0", word * 5000):
            await student.call("POST", "/student/save-answer", json=one | {"answer": answer})
        await student.call("POST", "/student/save-answer", json=one | {"question_id": word, "answer": word})
    broken = {"content": f'{{"{hidden.make("body")}', "headers": {"content-type": "application/json"}}
    await student.call("POST", "/student/save-answers", **broken)
    await student.call("GET", f"/student/results?cursor={hidden.make('query')}")
    await student.call("GET", f"/nowhere/{hidden.make('path')}")


def report(hidden: Secrets) -> Json:
    quoted = hidden.make("quoted")
    error = {
        "kind": "script",
        "message": f'"{quoted}" is no number',
        "page": "/",
        "at": "2026-05-04T09:12:30Z",
    }
    return {"errors": [error | {"stack": f"{quoted}\n at f (https://a.example/x.js:1:2)"}]}


async def test_nothing_that_is_typed_or_secret_is_logged(
    system: System, admin: Admin, bank: Bank, healing: None
) -> None:
    hidden = Secrets()
    async with httpx.AsyncClient(base_url=system.url, timeout=30) as http:
        student = await newcomer(system, admin, hidden, http)
        attempt = await student.ok("POST", f"/student/start/{await admin.exam(bank[1])}")
        await sit(student, attempt, hidden)
        await student.ok("POST", "/client/reports", json=report(hidden))
        for name in ("postgres", "exam"):
            before = system.kill(name)

            async def is_back(name: str = name, before: int = before) -> bool:
                await sit(student, attempt, hidden)
                return system.pid(name) != before and not system.not_ready()

            await eventually(is_back, timeout=90)
        await eventually(lambda: handed_in(student, attempt), timeout=60)
    hidden.found |= passwords(system)
    text = system.logs(lines=1_000_000)
    assert [what for what, word in hidden.found.items() if word in text] == []


async def handed_in(student: Student, attempt: Json) -> bool:
    body = {"student_exam_id": attempt["student_exam_id"]}
    return (await student.call("POST", "/student/submit", json=body)).status_code == 200


def passwords(system: System) -> dict[str, str]:
    """Those of the administrators of Postgres and RabbitMQ."""
    state = system.state()
    urls = {"postgres": state["postgres"]["dsn"], "rabbitmq": state["rabbitmq"]["url"]}
    matches = {name: re.search(r"//[^:@/]+:([^@/]+)@", url) for name, url in urls.items()}
    return {name: match[1] for name, match in matches.items() if match and len(match[1]) >= 12}


async def test_a_refusal_is_found_by_its_trace_in_the_logs_of_all_who_saw_it(
    system: System, students: Class
) -> None:
    (student,) = await students(1)
    trace = secrets.token_hex(16)
    parent = {"traceparent": f"00-{trace}-{'5' * 16}-00"}
    path = f"/student/start/{'0' * 8}-0000-7000-8000-{'0' * 12}"
    problem = await student.fails(404, "not_found", "POST", path, headers=parent)
    assert problem["trace_id"] == trace

    def lines() -> dict[str, list[Json]]:
        found = {
            name: [line for line in lines if line.get("trace_id") == trace]
            for name, lines in logged(system).items()
        }
        return {name: lines for name, lines in found.items() if lines}

    await eventually(lambda: lines().keys() == {"gateway", "exam"})
    (http_line,), (rpc_line,) = lines()["gateway"], lines()["exam"]
    told: dict[str, Any] = {"route": "/api/v1/student/start/{exam_id}", "method": "POST", "status": 404}
    assert http_line | told == http_line
    told = {"service": "exam", "rpc": "examhall.exam.v1.Attempts/Start", "code": "NOT_FOUND"}
    assert rpc_line | told == rpc_line
    assert http_line["ms"] >= rpc_line["ms"] > 0
    assert {line["service"] for lines in logged(system).values() for line in lines} == SERVICES
