"""Demo data, made the way an institution would make it: through the public API, as an administrator.

What is there already stays as it is: running it again costs a login and a look.
"""

import csv
import io
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from examhall_local import admin_account, service_command
from examhall_local.demo_accounts import ADMIN, ADMIN_PASSWORD, STUDENT_PASSWORD, STUDENTS, student
from examhall_local.statedir import StateDir

TITLE = "Demo exam"
_QUESTIONS = Path(__file__).with_name("demo_data") / "questions.csv"
_IMPORTED_WITHIN = 180.0  # seconds; a hundred passwords are hashed on the way


class DemoFailedError(RuntimeError):
    """Some demo data could not be made; the text says what, and what the system answered."""


def make(url: str, folder: StateDir, root: Path, say: Callable[[str], None]) -> None:
    """Makes what is missing. Raises DemoFailedError."""
    try:
        with httpx.Client(base_url=f"{url}/api/v1", timeout=30, trust_env=False) as api:
            _log_in(api, folder, root)
            exam = _find_exam(api)
            if exam is not None and exam.get("status") == "published":
                return
            say("making the demo data")
            jobs = [_send(api, "users", _students()), _send(api, "questions", _QUESTIONS.read_bytes())]
            for job in jobs:
                _wait_for_import(api, job)
            _publish(api, exam or _create_exam(api))
    except (httpx.HTTPError, service_command.CommandFailedError, KeyError) as problem:
        raise DemoFailedError(f"{type(problem).__name__}: {problem}") from problem


def _log_in(api: httpx.Client, folder: StateDir, root: Path) -> None:
    credentials = {"email": ADMIN, "password": ADMIN_PASSWORD}
    answer = api.post("/auth/login", json=credentials)
    if answer.status_code == 401:
        admin_account.call(folder, root, ADMIN, "Demo Admin", ADMIN_PASSWORD)
        answer = api.post("/auth/login", json=credentials)
    token = _ok(answer, "logging in as the demo administrator (was the password changed?)")["access_token"]
    api.headers["Authorization"] = f"Bearer {token}"


def _students() -> bytes:
    sheet = io.StringIO()
    rows = csv.writer(sheet)
    rows.writerow(["email", "name", "groups", "password"])
    for number in range(1, STUDENTS + 1):
        rows.writerow([student(number), f"Demo Student {number:03d}", "demo", STUDENT_PASSWORD])
    return sheet.getvalue().encode()


def _send(api: httpx.Client, kind: str, sheet: bytes) -> str:
    answer = api.post(
        "/admin/imports",
        files={"file": (f"demo-{kind}.csv", sheet, "text/csv")},
        data={"kind": kind, "dry_run": "false", "on_error": "skip_rows"},
    )
    return str(_ok(answer, f"importing {kind}")["id"])


def _wait_for_import(api: httpx.Client, job: str) -> None:
    until = time.monotonic() + _IMPORTED_WITHIN
    while time.monotonic() < until:
        state = _ok(api.get(f"/admin/imports/{job}"), "looking after the import")
        if state["status"] == "completed":
            return
        if state["status"] == "failed":
            raise DemoFailedError(f"an import failed: {state.get('errors')}")
        time.sleep(0.1)
    raise DemoFailedError(f"an import did not end within {_IMPORTED_WITHIN:.0f} s")


def _find_exam(api: httpx.Client) -> dict[str, Any] | None:
    return next((e for e in _all(api, "/admin/exams") if e.get("title") == TITLE), None)


def _create_exam(api: httpx.Client) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    exam = {
        "title": TITLE,
        "description": "Twenty questions of general knowledge.",
        "instructions": "Answer what you can. Every answer is saved as you give it.",
        "duration_minutes": 60,
        "start_time": (now - timedelta(days=1)).isoformat(),
        "end_time": (now + timedelta(days=365)).isoformat(),
    }
    return _ok(api.post("/admin/exams", json=exam), "creating the demo exam")


def _publish(api: httpx.Client, exam: dict[str, Any]) -> None:
    numbered = {q.get("external_id"): q["id"] for q in _all(api, "/admin/questions", tag="demo")}
    wanted = [row["external_id"] for row in csv.DictReader(_QUESTIONS.read_text().splitlines())]
    missing = [external_id for external_id in wanted if external_id not in numbered]
    if missing:
        raise DemoFailedError(f"questions that were imported are not in the bank: {', '.join(missing)}")
    path = f"/admin/exams/{exam['id']}"
    paper = {"questions": [{"question_id": numbered[external_id]} for external_id in wanted]}
    if exam.get("status", "draft") == "draft":
        _ok(api.put(f"{path}/questions", json=paper), "choosing the demo exam's questions")
        _ok(api.put(f"{path}/roster", json={"all": True}), "letting all students take the demo exam")
    _ok(api.post(f"{path}/publish"), "publishing the demo exam")
    until = time.monotonic() + 60
    while _ok(api.get(path), "looking at the demo exam").get("status") != "published":
        if time.monotonic() > until:
            raise DemoFailedError("the demo exam is not published after a minute")
        time.sleep(0.1)


def _all(api: httpx.Client, path: str, **query: str) -> Iterable[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = api.get(path, params={**query, "limit": 100, **({"cursor": cursor} if cursor else {})})
        content = _ok(page, f"listing {path}")
        yield from content["items"]
        cursor = content.get("next_cursor")
        if not cursor:
            return


def _ok(answer: httpx.Response, what: str) -> dict[str, Any]:
    """The answer's body; a 503 and the like, told apart from what nobody would understand later."""
    if not answer.is_success:
        raise DemoFailedError(f"{what}: {answer.status_code} {answer.text[:500]}")
    body: dict[str, Any] = answer.json() if answer.content else {}
    return body
