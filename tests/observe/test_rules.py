"""Rules and alerts: promtool accepts and tests them; each alert has a runbook; what they ask for exists."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from examhall_local import observe_config

from tests.architecture.rooms import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = PROMETHEUS / "tests" / "alerts.yml"
CHAPTERS = ("What it means", "What students see", "How to look", "What to do", "When to escalate")
_HISTOGRAM = re.compile(r"_(bucket|count|sum)$")


def _rules() -> list[dict[str, Any]]:
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [rule for rule in _rules() if "alert" in rule]


def _runs(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules() -> None:
    _runs("promtool", "check", "rules", "--lint-fatal", *RULES)


def test_amtool_accepts_the_example_and_what_observe_uses(tmp_path: Path) -> None:
    own = tmp_path / "alertmanager.json"
    own.write_text(json.dumps(observe_config.alertmanager()))
    for file in (PROMETHEUS / "alertmanager.yml", own):
        _runs("amtool", "check-config", file)


def test_alerts_fire_and_are_silent_as_they_should() -> None:
    _runs("promtool", "test", "rules", TESTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_is_tested_both_ways_and_has_a_runbook(alert: dict[str, Any]) -> None:
    names = [test["name"] for test in yaml.safe_load(TESTS.read_text())["tests"]]
    assert {f"{alert['alert']} fires", f"{alert['alert']} is silent"} <= {*names}
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"]
    runbook = (ROOT / alert["annotations"]["runbook_url"]).read_text()
    assert tuple(re.findall(r"^## (.+)$", runbook, re.MULTILINE)) == CHAPTERS
    assert alert["alert"] in runbook.splitlines()[0]


def test_each_runbook_is_of_an_alert() -> None:
    linked = {alert["annotations"]["runbook_url"] for alert in ALERTS}
    assert {str(path.relative_to(ROOT)) for path in ROOT.glob("deploy/runbooks/*.md")} == linked


def _known() -> set[str]:
    return set(re.findall(r"^\| `(examhall_\w+)`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE))


def _asked(text: str) -> set[str]:
    return {_HISTOGRAM.sub("", name) for name in re.findall(r"(?<![\w:])examhall_\w+", text)}


def test_rules_and_runbooks_name_what_is_measured() -> None:
    rules = {name for rule in _rules() for name in _asked(rule["expr"])}
    pages = {name for path in ROOT.glob("deploy/runbooks/*.md") for name in _asked(path.read_text())}
    assert rules
    assert (rules | pages) - _known() == set()


def test_rules_and_runbooks_name_what_is_recorded() -> None:
    recorded = {rule["record"] for rule in _rules() if "record" in rule}
    texts = [rule["expr"] for rule in _rules()]
    texts += [path.read_text() for path in ROOT.glob("deploy/runbooks/*.md")]
    assert {name for text in texts for name in re.findall(r"examhall:[\w:]+", text)} <= recorded
