"""What the gateway counts. No ids in labels: routes are templates, methods a closed set."""

from __future__ import annotations

from examkit.telemetry import LATENCY_BUCKETS
from prometheus_client import Counter, Gauge, Histogram

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
NO_ROUTE = "none"

http_seconds = Histogram(
    "examhall_http_request_seconds",
    "Time to answer a request, streams to their first byte",
    ("route", "method", "status"),
    buckets=LATENCY_BUCKETS,
)
in_flight = Gauge("examhall_http_requests_in_flight", "Requests being served, streams included")
connections = Gauge("examhall_http_connections", "Open connections of clients")
connections_displaced = Counter(
    "examhall_http_connections_displaced", "Idle connections closed to make room for new ones"
)
connections_refused = Counter("examhall_http_connections_refused", "Connections above the most there may be")
rate_limited = Counter("examhall_http_rate_limited", "Requests refused with 429", ("limit",))
body_bytes = Gauge("examhall_http_body_bytes", "Bytes of request bodies that are held")
bodies_refused = Counter("examhall_http_bodies_refused", "Requests refused because too many bytes were held")
bodies_stalled = Counter("examhall_http_bodies_stalled", "Requests given up since their body did not come")
save_batch_size = Histogram(
    "examhall_save_batch_size",
    "Saves that went to exam in one call",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
saves_waiting = Gauge("examhall_saves_waiting", "Saves that wait for the next call")
saves_refused = Counter("examhall_saves_refused", "Saves refused because too many waited")

monitor_looks = Counter("examhall_monitor_looks", "Looks at exams that somebody watches, one for all of them")

# What pages tell of themselves.
oldest_unsaved = Histogram(
    "examhall_client_oldest_unsaved_seconds",
    "How long the oldest answer has waited that the server has not got, as pages say",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 900, 3600),
)
page_load = Histogram(
    "examhall_client_page_load_seconds",
    "Time until a page could be used, as pages say",
    buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32),
)
page_reports = Counter("examhall_client_reports", "Reports of pages")
page_errors = Counter("examhall_client_errors", "Errors that pages reported, by kind", ("kind",))
