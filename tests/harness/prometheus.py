"""The Prometheus that `observe` starts beside a running copy, and its answers."""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.harness.system import System, wait_until

_TARGETS = 7  # gateway, four services, and the exporters of PostgreSQL and RabbitMQ


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


@contextmanager
def observing(system: System) -> Iterator[Prometheus]:
    """The Prometheus of `observe` beside a running copy, scraping each second; it ends with the block."""
    process = system.start("observe", "--interval", "1")
    try:
        wait_until((system.state_dir / "observe" / "prometheus.json").exists, "observe has begun")
        prometheus = Prometheus(f"http://127.0.0.1:{system.port_of('prometheus')}")
        wait_until(prometheus.is_ready, "Prometheus is ready")
        wait_until(lambda: prometheus.values("sum(up)") == [_TARGETS], "every process is scraped")
        yield prometheus
        prometheus.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
