"""`observe`: it wants a system that is up, finds every process, and ends as it was asked to."""

from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from tests.harness.prometheus import observing
from tests.harness.system import System


def test_without_a_system_it_says_what_to_do(tmp_path: Path) -> None:
    done = System(tmp_path / "state").command("observe")
    assert done.returncode == 1
    assert "make up first" in done.stderr


def test_everything_is_scraped_and_no_service_is_missed(system: System) -> None:
    with observing(system) as prometheus:
        services = {"gateway", "auth", "exam", "grading", "import", "postgres", "rabbitmq"}
        assert prometheus.labels("up == 1", "service") == services
        assert prometheus.values("absent(up)") == []


def test_what_is_known_of_statements_holds_no_password(system: System) -> None:
    server = make_conninfo(system.state()["postgres"]["dsn"], dbname="postgres")
    with observing(system), psycopg.connect(server) as admin:
        known = admin.execute("SELECT query FROM pg_stat_statements").fetchall()
    assert known
    assert [query for (query,) in known if " ROLE " in query.upper()] == []


def test_our_database_and_so_its_backups_stay_as_they_are(system: System) -> None:
    with observing(system), psycopg.connect(system.state()["postgres"]["dsn"]) as admin:
        assert admin.execute("SELECT extname FROM pg_extension").fetchall() == [("plpgsql",)]


def test_it_ends_with_its_processes(system: System) -> None:
    with observing(system):
        pass
    assert not system.answers_on(system.port_of("prometheus"))
