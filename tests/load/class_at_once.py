"""A class that starts, saves and submits one exam at once, without a pause for thought.

python -m tests.load.class_at_once [--url http://127.0.0.1:8000] [--students 100] [--saves 20]

Wants a running copy with demo data and without rate limits: `make up RATE_LIMITS=0`. The demo's questions
are put into a fresh exam. Prints p50, p95, p99 and the mean of each call, in milliseconds.
"""

import argparse
import asyncio
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from tests.harness.api import ADMIN, STUDENT_PASSWORD
from tests.load.http import Connection

Times = dict[str, list[float]]


async def _ok(connection: Connection, method: str, path: str, body: Any = None) -> Any:
    status, answer, _ = await connection.call(method, path, body)
    if status >= 300:
        raise SystemExit(f"{method} {path}: {status} {answer}")
    return answer


async def _login(connection: Connection, email: str, password: str) -> None:
    answer = await _ok(connection, "POST", "/auth/login", {"email": email, "password": password})
    connection.token = answer["access_token"]


async def _fresh_exam(admin: Connection) -> str:
    questions = (await _ok(admin, "GET", "/admin/questions?limit=20"))["items"]
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    exam = await _ok(
        admin, "POST", "/admin/exams", {"title": "Measured", "duration_minutes": 60, "end_time": ends}
    )
    body = {"questions": [{"question_id": one["id"]} for one in questions]}
    await _ok(admin, "PUT", f"/admin/exams/{exam['id']}/questions", body)
    await _ok(admin, "POST", f"/admin/exams/{exam['id']}/publish")
    found: str = exam["id"]
    return found


def _answer_to(question: dict[str, Any]) -> Any:
    match question["type"]:
        case "single_choice":
            return question["options"][0]["id"]
        case "multi_choice":
            return [question["options"][0]["id"]]
        case "true_false":
            return "true"
        case _:
            return "42"


async def _timed(times: Times, name: str, connection: Connection, path: str, body: Any = None) -> Any:
    status, answer, seconds = await connection.call("POST", path, body)
    times[name].append(seconds)
    if status >= 300:
        raise SystemExit(f"{path}: {status} {answer}")
    return answer


async def _sit(times: Times, connection: Connection, exam_id: str, saves: int) -> None:
    attempt = await _timed(times, "start", connection, f"/student/start/{exam_id}")
    attempt_id, questions = attempt["student_exam_id"], attempt["questions"]
    for number in range(saves):
        question = questions[number % len(questions)]
        body = {
            "student_exam_id": attempt_id,
            "question_id": question["id"],
            "answer": _answer_to(question),
            "revision": number + 1,
        }
        await _timed(times, "save", connection, "/student/save-answer", body)
    await _timed(times, "submit", connection, "/student/submit", {"student_exam_id": attempt_id})


async def measure(url: str, students: int, saves: int) -> None:
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    admin = Connection(host, port)
    await _login(admin, *ADMIN)
    exam_id = await _fresh_exam(admin)
    everybody = [Connection(host, port) for _ in range(students)]
    for number, one in enumerate(everybody, start=1):
        await _login(one, f"student{number:03}@example.com", STUDENT_PASSWORD)
    times: Times = defaultdict(list)
    started = time.perf_counter()
    await asyncio.gather(*(_sit(times, one, exam_id, saves) for one in everybody))
    elapsed = time.perf_counter() - started
    times["all"] = [second for seconds in times.values() for second in seconds]
    print(
        f"{students} students, {saves} saves each: {elapsed:.2f} s, {len(times['all']) / elapsed:.0f} calls/s"
    )
    for name, seconds in times.items():
        seconds.sort()
        mean = 1000 * sum(seconds) / len(seconds)
        shares = (seconds[min(len(seconds) - 1, int(len(seconds) * share))] for share in (0.5, 0.95, 0.99))
        p50, p95, p99 = (f"{1000 * second:7.1f}" for second in shares)
        print(f"{name:7} n {len(seconds):5}  mean {mean:7.1f}  p50 {p50}  p95 {p95}  p99 {p99} ms")
    for one in (admin, *everybody):
        await one.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--saves", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(measure(options.url, options.students, options.saves))
