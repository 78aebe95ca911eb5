"""Latency and outcome of every gRPC call, on both sides."""

from __future__ import annotations

from prometheus_client import Histogram

from examkit.telemetry import LATENCY_BUCKETS

server_seconds = Histogram(
    "examhall_rpc_server_seconds",
    "Time to serve a gRPC call",
    ("service", "method", "code"),
    buckets=LATENCY_BUCKETS,
)
client_seconds = Histogram(
    "examhall_rpc_client_seconds",
    "Time of a gRPC call as its caller sees it, retries included",
    ("service", "method", "code"),
    buckets=LATENCY_BUCKETS,
)


def split_method(path: str) -> tuple[str, str]:
    """`/examhall.exam.v1.Attempts/SaveBatch` → (`examhall.exam.v1.Attempts`, `SaveBatch`)."""
    service, _, method = path.removeprefix("/").partition("/")
    return service, method
