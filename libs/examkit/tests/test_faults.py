"""What Sentry is told of a fault: type, place, trace and pseudonyms, and nothing that anybody wrote."""

import io
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import structlog
from examkit import faults, logs, telemetry
from examkit.principal import Principal
from examkit.rpc.context import acting, request_var
from examkit.testing.sentry import SentryReceiver, sentry_receiver

USER, ATTEMPT = UUID(int=7), UUID(int=8)
SENTINEL = "the-sentinel"


@dataclass(frozen=True)
class Settings:
    sentry_dsn: str
    sentry_environment: str = "staging"
    sentry_pseudonym_key: str = "a key"


@dataclass(frozen=True)
class Request:
    student_exam_id: str
    answer: str = SENTINEL


@pytest.fixture
def sentry() -> Iterator[SentryReceiver]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    with sentry_receiver() as receiver:
        logs.setup("exam", "INFO", io.StringIO())
        faults.setup("exam", "examhall@1", Settings(receiver.dsn))
        yield receiver
        faults.shutdown()
    root.handlers, _ = before
    root.setLevel(before[1])
    structlog.reset_defaults()


def fail(answer: str) -> None:
    words = {"answer": answer}
    raise KeyError(f"{words} by eva@example.com")


def log_failure(user: UUID = USER, attempt: UUID = ATTEMPT) -> str:
    """A use case that fails under a call of this student; the trace id."""
    principal = Principal(user, "student", frozenset(), UUID(int=1), 1, time.time() + 60)
    with acting(principal=principal, token=SENTINEL), telemetry.span("call"):
        asked = request_var.set(Request(str(attempt)))
        try:
            fail(SENTINEL)
        except KeyError:
            structlog.get_logger("exam").exception("rpc_failed", rpc="exam.Attempts/Submit", note=SENTINEL)
        request_var.reset(asked)
        return telemetry.trace_id()


def told(sentry: SentryReceiver) -> list[dict[str, Any]]:
    faults.shutdown()
    return sentry.events


def test_a_fault_is_told_with_its_place_and_nothing_that_anybody_wrote(sentry: SentryReceiver) -> None:
    trace = log_failure()
    (event,) = told(sentry)
    assert (event["message"], event["logger"], event["level"]) == ("rpc_failed", "exam", "error")
    assert event["contexts"]["trace"]["trace_id"] == trace
    assert event["tags"]["rpc"] == "exam.Attempts/Submit"
    assert (event["release"], event["environment"], event["server_name"]) == ("examhall@1", "staging", "exam")
    (raised,) = event["exception"]["values"]
    assert raised["type"] == "KeyError"
    assert [frame["function"] for frame in raised["stacktrace"]["frames"]] == ["log_failure", "fail"]
    for hidden in (SENTINEL, "eva@example.com", str(USER), str(ATTEMPT)):
        assert hidden not in "".join(sentry.raw)


def test_users_and_attempts_are_told_apart_without_being_named(sentry: SentryReceiver) -> None:
    for user, attempt in ((USER, ATTEMPT), (USER, UUID(int=9)), (UUID(int=6), ATTEMPT)):
        log_failure(user, attempt)
    first, second, third = told(sentry)
    assert first["user"]["id"] == second["user"]["id"] != third["user"]["id"]
    assert first["tags"]["attempt"] == third["tags"]["attempt"] != second["tags"]["attempt"]


def test_what_libraries_log_as_an_error_is_told_without_their_words(sentry: SentryReceiver) -> None:
    logging.getLogger("some.library").error("lost %s", SENTINEL)
    structlog.get_logger("exam").warning("careful")
    (event,) = told(sentry)
    assert (event["logger"], event["message"]) == ("some.library", "")


def test_an_outage_is_told_some_times_and_no_more(sentry: SentryReceiver, monkeypatch: Any) -> None:
    now = [60_000.0]
    monkeypatch.setattr(faults.time, "monotonic", lambda: now[0])
    for _ in range(faults.MOST_PER_MINUTE + 20):
        faults.tell(faults.Fault("away", "exam"))
    now[0] += 60
    faults.tell(faults.Fault("again", "exam"))
    monkeypatch.undo()
    messages = [event["message"] for event in told(sentry)]
    assert (messages.count("away"), messages.count("again")) == (faults.MOST_PER_MINUTE, 1)


def test_without_an_address_nothing_is_loaded() -> None:
    program = """
import sys
from types import SimpleNamespace as Settings
from examkit import faults
faults.setup("exam", "1", Settings(sentry_dsn="", sentry_environment="", sentry_pseudonym_key=""))
faults.tell(faults.Fault("x", "y"))
print("sentry_sdk" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, check=True)
    assert done.stdout == "False\n"
