"""Latency and outcome of every gRPC call, on both sides."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram

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
tried_again = Counter(
    "examhall_rpc_client_retries",
    "Further tries of a gRPC call, by what the one before failed with",
    ("service", "method", "code"),
)


@cache
def served(service: str, method: str, code: str) -> Histogram:
    """Looked up once: methods and codes are few."""
    return server_seconds.labels(service, method, code)


@cache
def called(service: str, method: str, code: str) -> Histogram:
    """The same, on the caller's side."""
    return client_seconds.labels(service, method, code)


@cache
def split_method(path: str) -> tuple[str, str]:
    """`/examhall.exam.v1.Attempts/SaveBatch` → (`examhall.exam.v1.Attempts`, `SaveBatch`)."""
    service, _, method = path.removeprefix("/").partition("/")
    return service, method
