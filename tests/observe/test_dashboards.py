"""Dashboards: the files are what the code gives, and every panel shows something of a system at work."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
import pytest
import yaml
from examkit.testing.waiting import eventually

from deploy.grafana.__main__ import FOLDER, rendered
from deploy.grafana.panels import of_process, of_rpc
from tests.architecture.rooms import ROOT
from tests.conftest import Bank, Class
from tests.harness.api import Admin, Caller, Student, soon
from tests.harness.prometheus import Prometheus, observing
from tests.harness.system import System

# Panels over what one machine doesn't have; their queries must parse all the same.
WITHOUT_DATA = {
    ("database", "Replicas"),
    ("database", "Replication: how far replicas are behind"),
}
# Beside our own: of every Python process, postgres_exporter, CloudNativePG and rabbitmq_prometheus.
EXPORTED = {
    *("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"),
    *("pg_stat_statements_seconds_total", "pg_stat_statements_calls_total", "pg_stat_activity_count"),
    *("pg_stat_database_xact_commit", "pg_stat_database_xact_rollback", "pg_stat_database_deadlocks"),
    *("pg_replication_lag_seconds", "pg_database_size_bytes"),
    *("cnpg_pg_stat_database_xact_commit", "cnpg_pg_stat_database_xact_rollback"),
    *("cnpg_pg_stat_database_deadlocks", "cnpg_backends_total", "cnpg_pg_replication_lag"),
    *("cnpg_pg_database_size_bytes", "cnpg_pg_replication_streaming_replicas"),
    *("rabbitmq_process_resident_memory_bytes", "rabbitmq_resident_memory_limit_bytes"),
    *("rabbitmq_disk_space_available_bytes", "rabbitmq_connections", "rabbitmq_channels"),
    "rabbitmq_queue_messages_unacked",
}
_NO_METRICS = re.compile(
    r'\{[^}]*\}|\[[^]]*\]|"[^"]*"|\b(by|on|group_left)\s*\([^)]*\)|\b(or|unless|and)\b|\b[a-z_]+(?=\s*(?:\(|by\b))'
)


@dataclass(frozen=True)
class Query:
    board: str
    panel: str
    legend: str
    expression: str

    def __str__(self) -> str:
        return f"{self.board}: {self.panel} ({self.legend})"


def _queries() -> list[Query]:
    found = []
    for name, text in rendered().items():
        for panel in json.loads(text)["panels"]:
            found += [
                Query(name.removesuffix(".json"), panel["title"], target["legendFormat"], target["expr"])
                for target in panel["targets"]
            ]
    return found


QUERIES = _queries()


def _known() -> set[str]:
    measured = re.findall(
        r"^\| `(\w+)` \| (\w+)", (ROOT / "docs/metrics.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    shown = {
        name + suffix
        for name, kind in measured
        for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
    }
    groups: list[dict[str, Any]] = []
    for path in ROOT.glob("deploy/prometheus/rules/*.yml"):
        groups += yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    return shown | EXPORTED | {rule["record"] for rule in rules if "record" in rule}


def test_the_files_are_what_the_code_gives() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    assert files == rendered(), "make dashboards"


def test_panels_have_titles_of_their_own_and_ask_the_chosen_prometheus() -> None:
    for text in rendered().values():
        board = json.loads(text)
        assert [one["type"] for one in board["templating"]["list"]] == ["datasource"]
        shown = [(one["type"], one["title"]) for one in board["panels"]]
        assert len({*shown}) == len(shown)
        asking = [one for panel in board["panels"] for one in (panel, *panel["targets"])]
        assert {one["datasource"]["uid"] for one in asking} == {"${datasource}"}


def test_queries_name_what_is_measured() -> None:
    rest = [_NO_METRICS.sub(" ", query.expression) for query in QUERIES]
    named = {name for text in rest for name in re.findall(r"[a-z][\w:]*", text)}
    assert named
    assert named - _known() == set()


def test_what_one_machine_does_not_have_is_on_a_dashboard() -> None:
    assert {*WITHOUT_DATA} <= {(query.board, query.panel) for query in QUERIES}


async def _exam(admin: Admin, student: Student, question_ids: list[str]) -> None:
    """One attempt to its grade, with a resume, and what else a day brings."""
    attempt = await student.start(await admin.exam(question_ids))
    await student.save(attempt, attempt["questions"][0]["id"], None)
    await student.ok("GET", f"/student/resume/{attempt['exam']['id']}")
    event = {"kind": "tab_hidden", "at": soon(0)}
    about = {"student_exam_id": attempt["student_exam_id"]}
    await student.ok("POST", "/student/events", json=about | {"events": [event]})
    report = {"version": "0.1.0", "oldest_unsaved_seconds": 2, "page_load_ms": 500}
    await student.ok("POST", "/client/reports", json=report)
    await student.submit(attempt)
    await student.graded(attempt)
    stranger = {"email": "nobody@example.com", "password": "not-the-password"}
    await Caller(student.http).fails(401, "invalid_credentials", "POST", "/auth/login", json=stranger)


def _ask_slowly(system: System) -> None:
    with psycopg.connect(system.state()["postgres"]["dsn"]) as admin:
        admin.execute("SELECT pg_sleep(0.15)")


@pytest.fixture(scope="module")
async def prometheus(system: System, admin: Admin, students: Class, bank: Bank) -> AsyncIterator[Prometheus]:
    """One that has seen an exam, and then another: the first brings the series, the second moves them."""
    (student,) = await students(1)
    with observing(system) as found:
        for _ in range(2):
            await _exam(admin, student, bank[1])
            await asyncio.to_thread(_ask_slowly, system)
            scraped_since = f"min(timestamp(up)) > {time.time()}"
            await eventually(partial(found.values, scraped_since), timeout=30)
        yield found


@pytest.mark.parametrize("query", QUERIES, ids=str)
async def test_panels_show_something(prometheus: Prometheus, query: Query) -> None:
    expression = query.expression.replace("$__rate_interval", "1m")
    if (query.board, query.panel) in WITHOUT_DATA:
        assert prometheus.values(expression) == []
    else:
        await eventually(partial(prometheus.values, expression), timeout=10)


async def test_calls_and_processes_have_their_names(prometheus: Prometheus) -> None:
    called = prometheus.labels(of_rpc("examhall_rpc_server_seconds_count"), "rpc")
    assert {"Attempts", "Identity"} <= called
    assert "" not in called
    processes = {"auth", "exam", "grading", "import", "gateway"}
    assert prometheus.labels(of_process("process_resident_memory_bytes"), "service") == processes
