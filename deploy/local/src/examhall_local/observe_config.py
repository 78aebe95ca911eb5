"""What `observe` tells Prometheus and Alertmanager, as the JSON that both read as YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

TARGETS = "targets.json"


def prometheus(rules: Path, interval: float, alertmanager: str) -> dict[str, Any]:
    """A configuration that scrapes what `targets.json` beside it names, each `interval` seconds."""
    every = f"{int(interval * 1000)}ms"
    discovered = {"files": [TARGETS], "refresh_interval": "5s"}
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(rules / "*.yml")],
        "scrape_configs": [{"job_name": "examhall", "file_sd_configs": [discovered]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
    }


def alertmanager() -> dict[str, Any]:
    """Alerts are shown on its page, and sent to nobody."""
    return {"route": {"receiver": "page"}, "receivers": [{"name": "page"}]}


def targets(state: Mapping[str, Any], exporters: Mapping[str, int]) -> list[dict[str, Any]]:
    """Each process by its ops address, with its name as in a cluster; `exporters` are loopback ports."""
    ours = {"gateway": state["gateway"]} | state["services"]
    addresses = {name: one["ops_url"].partition("//")[2] for name, one in ours.items()}
    addresses |= {name: f"127.0.0.1:{port}" for name, port in exporters.items()}
    return [{"targets": [where], "labels": {"service": name}} for name, where in addresses.items()]
