"""Each service's requests, errors and durations, and how full it is."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number, of_process, of_rpc

_FAULTS = "UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS|RESOURCE_EXHAUSTED"


def _quantile(series: str, by: str) -> str:
    return f"histogram_quantile(0.95, sum by (le, {by}) ({series}))"


def _rpc_rate(what: str, matching: str = "") -> str:
    return of_rpc(f"rate(examhall_rpc_server_seconds_{what}{matching}[$__rate_interval])")


def _requests() -> list[Panel]:
    http = "examhall_http_request_seconds"
    return [
        number("Requests", "examhall:http_requests:rate5m", "reqps"),
        number("Errors", "examhall:http_errors:ratio_rate5m", "percentunit"),
        number("95th percentile", "examhall:http_request_seconds:p95_5m", "s"),
        number("Processes that give metrics", "count(examhall_build_info)"),
        graph(
            "Requests by route",
            {"{{method}} {{route}}": f"sum by (route, method) (rate({http}_count[$__rate_interval]))"},
            "reqps",
        ),
        graph(
            "Answers by status",
            {"{{status}}": f"sum by (status) (rate({http}_count[$__rate_interval]))"},
            "reqps",
        ),
        graph(
            "Time to answer: 95th percentile by route",
            {"{{route}}": _quantile(f"rate({http}_bucket[$__rate_interval])", "route")},
            "s",
        ),
    ]


def _calls() -> list[Panel]:
    faults = _rpc_rate("count", f'{{code=~"{_FAULTS}"}}')
    return [
        graph(
            "Calls between services",
            {"{{rpc}}/{{method}}": f"sum by (rpc, method) ({_rpc_rate('count')})"},
            "reqps",
        ),
        graph(
            "Calls that failed",
            {"{{rpc}} {{code}}": f"sum by (rpc, code) ({faults}) or vector(0)"},
            "reqps",
            about="Refusals such as NOT_FOUND or ABORTED are answers and don't count.",
        ),
        graph(
            "Time of a call: 95th percentile",
            {"{{rpc}}/{{method}}": _quantile(_rpc_rate("bucket"), "rpc, method")},
            "s",
        ),
    ]


def _saturation() -> list[Panel]:
    return [
        graph(
            "Processor",
            {
                "{{service}}": "sum by (service) "
                f"({of_process('rate(process_cpu_seconds_total[$__rate_interval])')})"
            },
            about="Cores in use.",
        ),
        graph(
            "Memory",
            {"{{service}}": f"sum by (service) ({of_process('process_resident_memory_bytes')})"},
            "bytes",
        ),
        graph(
            "Open files",
            {"{{service}}": f"max by (service) ({of_process('process_open_fds / process_max_fds')})"},
            "percentunit",
        ),
        graph(
            "Batches: what waits",
            {
                "{{batch}}": "sum by (batch) (examhall_batch_waiting)",
                "saves at the gateway": "sum(examhall_saves_waiting)",
                "passwords to hash": "sum(examhall_auth_hash_queue)",
            },
        ),
    ]


def _gateway() -> list[Panel]:
    return [
        graph(
            "Gateway",
            {
                "connections": "sum(examhall_http_connections)",
                "requests in flight": "sum(examhall_http_requests_in_flight)",
            },
        ),
        graph(
            "Gateway: what it turned away",
            {
                "rate limit": "sum(rate(examhall_http_rate_limited_total[$__rate_interval])) or vector(0)",
                "connections": "sum(rate(examhall_http_connections_refused_total[$__rate_interval]))",
                "bodies": "sum(rate(examhall_http_bodies_refused_total[$__rate_interval]))",
                "saves": "sum(rate(examhall_saves_refused_total[$__rate_interval]))",
            },
            "reqps",
        ),
    ]


def _background() -> list[Panel]:
    return [
        graph(
            "Imports: rows by outcome",
            {"{{kind}} {{outcome}}": "sum by (kind, outcome) (increase(examhall_import_rows_total[1h]))"},
            about="Within an hour.",
        ),
        graph(
            "Workers that ended by an exception",
            {"{{worker}}": "sum by (worker) (increase(examhall_worker_crashes_total[1h])) or vector(0)"},
            about="Within an hour.",
        ),
        graph(
            "Certificates: time left",
            {"{{identity}}": "min by (identity) (examhall_certificate_expiry_timestamp_seconds) - time()"},
            "s",
        ),
    ]


def board() -> Dashboard:
    panels = [*_requests(), *_calls(), *_saturation(), *_gateway(), *_background()]
    return dashboard("services", "services", "Requests, errors, durations and saturation.", panels)
