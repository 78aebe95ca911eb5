"""Clients of the REST API, as an admin's and a student's program would be."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

ADMIN = ("admin@example.com", "demo-admin-password")
STUDENT_PASSWORD = "demo-student-password"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Json = dict[str, Any]


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def soon(seconds: float) -> str:
    return stamp(datetime.now(UTC) + timedelta(seconds=seconds))


class ApiError(AssertionError):
    """An answer that was not expected."""


@dataclass
class Caller:
    """Someone who is logged in. Every call returns the response; `ok` the body of one that must succeed."""

    http: httpx.AsyncClient
    token: str = ""
    user: Json = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    async def login(self, email: str, password: str) -> None:
        body = await self.ok("POST", "/auth/login", json={"email": email, "password": password})
        self.token, self.user = body["access_token"], body["user"]

    async def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        headers = kwargs.pop("headers", {})
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}"} | headers
        started = time.perf_counter()
        response = await self.http.request(method, f"/api/v1{path}", headers=headers, **kwargs)
        self.seconds.append(time.perf_counter() - started)
        return response

    async def ok(self, method: str, path: str, **kwargs: Any) -> Any:
        response = await self.call(method, path, **kwargs)
        if response.status_code >= 300:
            raise ApiError(f"{method} {path}: {response.status_code} {response.text[:2000]}")
        return response.json() if response.content else None

    async def fails(self, status: int, code: str, method: str, path: str, **kwargs: Any) -> Json:
        """The problem of a call that must fail in this way."""
        response = await self.call(method, path, **kwargs)
        body: Json = response.json()
        assert (response.status_code, body.get("code")) == (status, code), response.text[:2000]
        assert response.headers["content-type"].startswith("application/problem+json")
        return body


class Admin(Caller):
    async def import_file(self, name: str, data: bytes, kind: str, **form: str) -> Json:
        """Upload a workbook and wait until the job has ended."""
        form = {"kind": kind, "dry_run": "false", "on_error": "reject_file"} | form
        job: Json = await self.ok("POST", "/admin/imports", files={"file": (name, data, XLSX)}, data=form)
        return await self.import_ended(job["id"])

    async def import_ended(self, job_id: str, seconds: float = 120) -> Json:
        until = time.monotonic() + seconds
        while True:
            job: Json = await self.ok("GET", f"/admin/imports/{job_id}")
            if job["status"] in ("completed", "failed"):
                return job
            assert time.monotonic() < until, job
            await asyncio.sleep(0.1)

    async def bank(self, **filters: Any) -> list[Json]:
        """All questions of the bank that match."""
        return await self.pages("/admin/questions", filters)

    async def pages(self, path: str, params: Json | None = None) -> list[Json]:
        items: list[Json] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": 200, **(params or {})} | ({"cursor": cursor} if cursor else {})
            page = await self.ok("GET", path, params=query)
            items += page["items"]
            cursor = page["next_cursor"]
        return items

    async def exam(self, question_ids: Iterable[str], **settings: Any) -> str:
        """A published exam with these questions, open now; its id."""
        body = {
            "title": "An exam",
            "duration_minutes": 60,
            "start_time": soon(-60),
            "end_time": soon(3600),
        } | settings
        roster = body.pop("roster", {"all": True})
        exam = await self.ok("POST", "/admin/exams", json=body)
        questions = [{"question_id": one} for one in question_ids]
        await self.ok("PUT", f"/admin/exams/{exam['id']}/questions", json={"questions": questions})
        await self.ok("PUT", f"/admin/exams/{exam['id']}/roster", json=roster)
        await self.ok("POST", f"/admin/exams/{exam['id']}/publish")
        exam_id: str = exam["id"]
        return exam_id


class Student(Caller):
    async def start(self, exam_id: str) -> Json:
        attempt: Json = await self.ok("POST", f"/student/start/{exam_id}")
        return attempt

    async def save(self, attempt: Json, question_id: str, answer: Any, **more: Any) -> Json:
        body = {"student_exam_id": attempt["student_exam_id"], "question_id": question_id, "answer": answer}
        saved: Json = await self.ok("POST", "/student/save-answer", json=body | more)
        return saved

    async def submit(self, attempt: Json, answers: list[Json] | None = None) -> Json:
        body: Json = {"student_exam_id": attempt["student_exam_id"]}
        if answers is not None:
            body["answers"] = answers
        submitted: Json = await self.ok("POST", "/student/submit", json=body)
        return submitted

    async def graded(self, attempt: Json, seconds: float = 60) -> Json:
        """The result, once there is one."""
        until = time.monotonic() + seconds
        path = f"/student/results/{attempt['student_exam_id']}"
        while True:
            response = await self.call("GET", path)
            if response.status_code == 200 and response.json()["total_score"] is not None:
                found: Json = response.json()
                return found
            assert time.monotonic() < until, f"no grade within {seconds} s: {response.text[:500]}"
            await asyncio.sleep(0.1)
