"""The service level objectives: what is promised, what is kept, how fast the error budget goes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number

# What went wrong, by its recording rule, and the share that may.
_OBJECTIVES = (
    ("Saves acknowledged, 99.95 %", "save_errors", 0.0005),
    ("Saves within 500 ms, 99 %", "save_slow", 0.01),
    ("Graded within 60 s, 99.9 %", "grades_late", 0.001),
)
_WINDOWS = ("5m", "30m", "1h", "6h")


def _kept(title: str, rule: str) -> Panel:
    """A third of the width."""
    query = f"1 - examhall:{rule}:ratio_rate6h"
    return number(title, query, "percentunit", about="Within six hours.").span(8).decimals(3)


def _burn(title: str, rule: str, budget: float) -> Panel:
    queries = {window: f"examhall:{rule}:ratio_rate{window} / {budget}" for window in _WINDOWS}
    about = "1 spends a month's budget in a month; alerts come at 14.4 (1h and 5m) and at 6 (6h and 30m)."
    return graph(f"Burn rate: {title}", queries, about=about)


def board() -> Dashboard:
    panels = [
        *(_kept(title, rule) for title, rule, _ in _OBJECTIVES),
        *(_burn(*objective) for objective in _OBJECTIVES),
        graph("Saves: 99th percentile", "examhall:save_seconds:p99_5m", "s"),
        graph(
            "From submit to grade: 99.9th percentile",
            "histogram_quantile(0.999, sum by (le) "
            "(rate(examhall_submit_to_grade_seconds_bucket[$__rate_interval])))",
            "s",
        ),
    ]
    return dashboard("objectives", "objectives", "What is promised, and how much of it is kept.", panels)
