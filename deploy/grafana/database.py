"""PostgreSQL: our pools, and what postgres_exporter or CloudNativePG say of the server.

Queries take either exporter's name of a figure; statements by time need postgres_exporter's
`stat_statements` collector and the extension pg_stat_statements.
"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import Panel, dashboard, graph, number

_MEAN = (
    "sum by (datname, queryid) (rate(pg_stat_statements_seconds_total[$__rate_interval]))"
    " / sum by (datname, queryid) (rate(pg_stat_statements_calls_total[$__rate_interval]))"
)
_BUSIEST = "topk(10, sum by (datname, queryid) (rate(pg_stat_statements_seconds_total[$__rate_interval])))"
_POOLS = "sum by (schema, pool) (examhall_db_pool_in_use) / sum by (schema, pool) (examhall_db_pool_size)"


def _rate(figure: str) -> str:
    """The rate of a column of pg_stat_database, whoever exports it."""
    return (
        f"sum by (datname) (rate(pg_stat_database_{figure}[$__rate_interval])"
        f" or rate(cnpg_pg_stat_database_{figure}[$__rate_interval]))"
    )


def _pools() -> list[Panel]:
    wait = "sum by (le, schema) (rate(examhall_db_pool_wait_seconds_bucket[$__rate_interval]))"
    return [
        graph(
            "Pools: in use",
            {"{{schema}} {{pool}}": _POOLS},
            "percentunit",
        ),
        graph(
            "Pools: units of work that wait",
            {"{{schema}} {{pool}}": "sum by (schema, pool) (examhall_db_pool_waiting)"},
        ),
        graph(
            "Pools: 95th percentile of the wait",
            {"{{schema}}": f"histogram_quantile(0.95, {wait})"},
            "s",
        ),
        graph(
            "Units of work that failed",
            {
                "{{schema}} {{kind}}": "sum by (schema, kind) "
                "(rate(examhall_db_failures_total[$__rate_interval])) or vector(0)"
            },
            "ops",
        ),
    ]


def _server() -> list[Panel]:
    return [
        graph("Commits", {"{{datname}}": _rate("xact_commit")}, "ops"),
        graph("Rollbacks", {"{{datname}}": _rate("xact_rollback")}, "ops"),
        graph("Deadlocks", {"{{datname}}": _rate("deadlocks")}, "ops"),
        graph(
            "Connections of the server",
            {"{{datname}}": "sum by (datname) (pg_stat_activity_count or cnpg_backends_total)"},
        ),
        graph("Statements that take the most time", {"{{datname}} {{queryid}}": _BUSIEST}, "percentunit"),
        graph(
            "Slow statements: over 100 ms on average",
            {"{{datname}} {{queryid}}": f"{_MEAN} > 0.1"},
            "s",
            about="The text: SELECT query FROM pg_stat_statements WHERE queryid = …",
        ),
        graph(
            "Replication: how far replicas are behind",
            {"{{instance}}": "pg_replication_lag_seconds or cnpg_pg_replication_lag"},
            "s",
        ),
        graph(
            "Size",
            {"{{datname}}": "max by (datname) (pg_database_size_bytes or cnpg_pg_database_size_bytes)"},
            "bytes",
        ),
    ]


def board() -> Dashboard:
    numbers = [
        number("Fullest pool", f"max({_POOLS})", "percentunit"),
        number("Units of work that wait", "sum(examhall_db_pool_waiting)"),
        number("Failures in an hour", "sum(increase(examhall_db_failures_total[1h])) or vector(0)"),
        number("Replicas", "sum(cnpg_pg_replication_streaming_replicas)"),
    ]
    about = "Pools, statements, locks and replicas."
    return dashboard("database", "database", about, [*numbers, *_pools(), *_server()])
