"""A Prometheus of the test's own, which scrapes a running copy and knows the recording rules."""

import json
import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.harness.system import System, free_port, wait_until

_RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules"


class Prometheus:
    """What one answers."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)

    def is_ready(self) -> bool:
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def values(self, query: str) -> list[float]:
        """The value of each series, NaN left out. Raises AssertionError for what doesn't parse."""
        found = [float(one["value"][1]) for one in self._series(query)]
        return [value for value in found if not math.isnan(value)]

    def labels(self, query: str, label: str) -> set[str]:
        """The values that a label has in the series; "" stands for none."""
        return {one["metric"].get(label, "") for one in self._series(query)}

    def _series(self, query: str) -> list[dict[str, Any]]:
        answer = self._http.post("/api/v1/query", data={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        data: dict[str, Any] = answer.json()["data"]
        assert data["resultType"] == "vector", query
        found: list[dict[str, Any]] = data["result"]
        return found

    def close(self) -> None:
        self._http.close()


def _targets(system: System, *, in_cluster: bool) -> list[dict[str, Any]]:
    state = system.state()
    processes = {"gateway": state["gateway"]} | state["services"]
    return [
        {
            "targets": [one["ops_url"].partition("//")[2]],
            "labels": {"service": name} if in_cluster else {},
        }
        for name, one in processes.items()
    ]


def _configuration(targets: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(_RULES / "*.yml")],
        "scrape_configs": [{"job_name": "examhall", "static_configs": targets}],
    }


@contextmanager
def scraping(system: System, folder: Path, *, in_cluster: bool = False) -> Iterator[Prometheus]:
    """A Prometheus that scrapes every process each second, and has begun to; it ends with the block.

    In a cluster the PodMonitor gives every series the label `service`.
    """
    targets = _targets(system, in_cluster=in_cluster)
    configuration = folder / "prometheus.json"
    configuration.write_text(json.dumps(_configuration(targets)))
    address = f"127.0.0.1:{free_port()}"
    words = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    process = subprocess.Popen(["prometheus", *words], cwd=folder)
    prometheus = Prometheus(f"http://{address}")
    try:
        wait_until(prometheus.is_ready, "Prometheus is ready")
        wait_until(lambda: prometheus.values("sum(up)") == [len(targets)], "every process is scraped")
        yield prometheus
    finally:
        prometheus.close()
        process.terminate()
        process.wait()
