"""Starts and fills the baseline: uvicorn with some workers, on a database of its own beside ours."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import jwt
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.harness.system import free_port
from tests.load.students import Student

DATABASE = "baseline"
QUESTIONS = 20
STUDENTS_WITH_PASSWORD = 200


def prepare(dsn: str, count: int) -> tuple[str, list[Student], UUID]:
    """A fresh database with an exam of 20 questions: its SQLAlchemy URL, so many students, the exam."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    parts = conninfo_to_dict(make_conninfo(dsn, dbname=DATABASE))
    url = f"postgresql+psycopg://{parts['user']}:{parts.get('password', '')}@{parts['host']}:{parts['port']}"
    os.environ["BASELINE_DATABASE_URL"] = f"{url}/{DATABASE}"
    from sqlmodel import Session, SQLModel

    from tests.load.baseline import app

    SQLModel.metadata.create_all(app.engine)
    exam = uuid4()
    hashed = app.ARGON.hash("demo-student-password")
    with Session(app.engine) as session:
        for number in range(QUESTIONS):
            options = ["one", "two", "three", "four"]
            session.add(app.Question(exam_id=exam, text=f"Question {number}", options=options, correct="B"))
        for number in range(1, STUDENTS_WITH_PASSWORD + 1):
            session.add(app.User(email=f"student{number:03}@example.com", password=hashed))
        session.commit()
    app.engine.dispose()
    tokens = (jwt.encode({"sub": str(uuid4())}, app.SECRET, "HS256") for _ in range(count))
    return f"{url}/{DATABASE}", [Student(token) for token in tokens], exam


@contextmanager
def serving(database_url: str, workers: int) -> Iterator[tuple[str, int, int]]:
    """Host, port and pid of the running baseline."""
    port = free_port()
    command: Sequence[str] = (
        *(sys.executable, "-m", "uvicorn", "tests.load.baseline.app:app", "--port", str(port)),
        *("--workers", str(workers), "--log-level", "warning", "--no-access-log"),
    )
    environment = os.environ | {"BASELINE_DATABASE_URL": database_url}
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[3])
    try:
        _wait(f"http://127.0.0.1:{port}/docs")
        yield urlsplit(f"http://127.0.0.1:{port}").hostname or "", port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx.get(url, trust_env=False)
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
