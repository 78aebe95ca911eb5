"""What the running system measures: every metric is described, none names a person, a token or a thing."""

import re
import shutil
import subprocess
import sys

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.architecture.rooms import ROOT
from tests.conftest import Bank, Class
from tests.harness.api import Admin
from tests.harness.system import System

OPEN_METRICS = {"Accept": "application/openmetrics-text"}
_PAGE = ROOT / "docs" / "metrics.md"
_PERSONAL = re.compile(
    r"@|[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16,}|eyJ|\d+\.\d+\.\d+\.\d+|://|[\w-]{40,}", re.IGNORECASE
)
_BUILD = "examhall_build"


def _urls(system: System) -> dict[str, str]:
    state = system.state()
    found = {name: one["ops_url"] for name, one in state["services"].items()}
    return {**found, "gateway": state["gateway"]["ops_url"]}


@pytest.fixture
async def families(system: System, admin: Admin, students: Class, bank: Bank) -> dict[str, list[Metric]]:
    """Of each process, after somebody has sat an exam and something was refused."""
    (student,) = await students(1)
    attempt = await student.ok("POST", f"/student/start/{await admin.exam(bank[1])}")
    exam_id = attempt["exam"]["id"]
    one = {"student_exam_id": attempt["student_exam_id"], "question_id": attempt["questions"][0]["id"]}
    await student.ok("POST", "/student/save-answer", json=one | {"answer": None})
    await student.ok("GET", f"/student/resume/{exam_id}")
    await student.ok("POST", "/student/submit", json={"student_exam_id": attempt["student_exam_id"]})
    await student.ok("POST", "/client/reports", json={"oldest_unsaved_seconds": 1.5})
    await student.call("GET", f"/student/results/{attempt['student_exam_id']}")
    await student.call("GET", "/nowhere/eva@example.com")
    await student.call("POST", "/auth/login", json={"email": "eva@example.com", "password": "wrong"})
    async with httpx.AsyncClient(headers=OPEN_METRICS) as scraper:
        texts = {name: (await scraper.get(f"{url}/metrics")).text for name, url in _urls(system).items()}
    return {name: [*text_string_to_metric_families(text)] for name, text in texts.items()}


async def test_labels_name_nobody_and_no_single_thing(families: dict[str, list[Metric]]) -> None:
    labels = {
        (sample.name, label, value)
        for found in families.values()
        for family in found
        if family.name != _BUILD and not family.name.startswith("python_info")
        for sample in family.samples
        for label, value in sample.labels.items()
    }
    assert len(labels) > 200
    assert not [found for found in sorted(labels) if _PERSONAL.search(found[2])]


async def test_what_is_shown_is_in_the_catalogue(families: dict[str, list[Metric]]) -> None:
    described = set(re.findall(r"^\| `(\w+)`", _PAGE.read_text(), re.MULTILINE))
    shown = {
        family.name + ("_total" if family.type == "counter" else "")
        for found in families.values()
        for family in found
        if family.name.startswith("examhall_")
    }
    # What stands in code stands in some process, too.
    assert shown == described


async def test_every_process_says_what_it_is_and_when_its_certificate_ends(
    families: dict[str, list[Metric]],
) -> None:
    for name, found in families.items():
        by_name = {family.name: family for family in found}
        (build,) = by_name["examhall_build_info"].samples
        assert build.labels["service"] == name
        ends = by_name["examhall_certificate_expiry_timestamp_seconds"].samples
        surfaces = {"gateway-student", "gateway-staff"} if name == "gateway" else {name}
        assert {sample.labels["identity"] for sample in ends} == surfaces


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus is not installed")
async def test_names_are_as_prometheus_wants_them(system: System) -> None:
    for name, url in _urls(system).items():
        async with httpx.AsyncClient() as scraper:
            text = (await scraper.get(f"{url}/metrics")).text
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False
        )
        assert (checked.returncode, checked.stderr) == (0, ""), name


def test_the_page_is_what_the_code_gives() -> None:
    rooms = [*ROOT.glob("gateway/src/*/metrics.py"), *sorted(ROOT.glob("services/*/src/*/metrics.py"))]
    made = subprocess.run(
        [sys.executable, "-m", "examkit.metrics_catalogue", *(path.parent.name for path in rooms)],
        text=True,
        capture_output=True,
        check=True,
    )
    assert made.stdout == _PAGE.read_text(), "make metrics"
