"""While exams run: who sits, who has ended and how, and whether every answer gets through."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number

_CLOSED = "sum(increase(examhall_exam_closed_total[1h]))"
_STARTED = "sum(increase(examhall_exam_starts_total[1h]))"
_RECOVERED = (
    "(sum(increase(examhall_exam_resume_gap_seconds_count[1h]))"
    ' - sum(increase(examhall_exam_resume_gap_seconds_bucket{le="60.0"}[1h])))'
)


def _closed_as(status: str) -> str:
    return f'(sum(increase(examhall_exam_closed_total{{status="{status}"}}[1h])) or vector(0)) / {_CLOSED}'


def _a_minute(counter: str) -> str:
    return f"sum(rate({counter}[$__rate_interval])) * 60"


def _page_quantile(metric: str) -> str:
    return f"histogram_quantile(0.95, sum by (le) (rate({metric}_bucket[$__rate_interval])))"


def _numbers() -> list[Panel]:
    return [
        number("Attempts in progress", "max(examhall_exam_active_attempts)"),
        number("Exams started in an hour", _STARTED),
        number("Saves that were acknowledged", "1 - examhall:save_errors:ratio_rate5m", "percentunit"),
        number("Oldest attempt without a grade", "max(examhall_exam_oldest_ungraded_seconds)", "s"),
        number(
            "Completion rate",
            _closed_as("submitted"),
            "percentunit",
            about="Of the attempts closed within an hour, those that the student submitted.",
        ),
        number(
            "Time expiry rate",
            _closed_as("expired"),
            "percentunit",
            about="Of the attempts closed within an hour, those that ran out of time.",
        ),
        number(
            "Average duration",
            "sum(increase(examhall_exam_attempt_duration_seconds_sum[1h]))"
            " / sum(increase(examhall_exam_attempt_duration_seconds_count[1h]))",
            "s",
        ),
        number(
            "Crash recovery rate",
            f"{_RECOVERED} / {_STARTED}",
            "percentunit",
            about="Resumes after more than a minute without a sign of life, for each attempt started.",
        ),
    ]


def _graphs() -> list[Panel]:
    return [
        graph("Attempts in progress", "max(examhall_exam_active_attempts)"),
        graph(
            "Attempts a minute",
            {
                "started": _a_minute("examhall_exam_starts_total"),
                "resumed": _a_minute("examhall_exam_resumes_total"),
                "{{status}}": "sum by (status) (rate(examhall_exam_closed_total[$__rate_interval])) * 60",
            },
        ),
        graph(
            "Saves by outcome",
            {"{{outcome}}": "sum by (outcome) (rate(examhall_exam_saves_total[$__rate_interval]))"},
            "ops",
        ),
        graph("Saves: 99th percentile", "examhall:save_seconds:p99_5m", "s"),
        graph(
            "Logins by outcome",
            {"{{outcome}}": "sum by (outcome) (rate(examhall_auth_logins_total[$__rate_interval]))"},
            "ops",
        ),
        graph(
            "What pages report: 95th percentile",
            {
                "oldest unsaved answer": _page_quantile("examhall_client_oldest_unsaved_seconds"),
                "page load": _page_quantile("examhall_client_page_load_seconds"),
            },
            "s",
        ),
        graph("Sweeper: attempts past their time", "max(examhall_exam_sweeper_lag_seconds)", "s"),
        graph(
            "Integrity events",
            {"{{kind}}": "sum by (kind) (rate(examhall_exam_integrity_events_total[$__rate_interval]))"},
            "ops",
        ),
    ]


def board() -> Dashboard:
    about = "Who sits, who has ended and how, and whether every answer gets through."
    return dashboard("exam-day", "exam day", about, [*_numbers(), *_graphs()])
