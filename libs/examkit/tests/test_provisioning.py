"""What a cluster's job does as an administrator, against real servers: it may be done again and again."""

from collections.abc import Iterator, Mapping

import aio_pika
import psycopg
import pytest
from aiormq.exceptions import ChannelAccessRefused
from examhall_local.rabbitmq import PrivateRabbit
from examkit.bus import EXCHANGE
from examkit.provision import role_dsn
from examkit.provisioning import main


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbit]:
    node = PrivateRabbit(tmp_path_factory.mktemp("rabbit"), users=(), management=True, die_with_parent=True)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def env(broker: PrivateRabbit, postgres_admin_dsn: str) -> Mapping[str, str]:
    admin = role_dsn(postgres_admin_dsn, "x", "y")
    host = broker.url.rpartition("@")[2].partition("/")[0]
    return {
        "SERVICES": "probe",
        "BROKER_USERS": "probe:probe:other,gateway",
        "ADMIN_DATABASE_URL": postgres_admin_dsn,
        "RABBITMQ_ADMIN_URL": broker.management_url,
        "PROBE_DATABASE_URL": admin.replace("x:y@", "probe_serve:one@"),
        "PROBE_MIGRATE_DATABASE_URL": admin.replace("x:y@", "probe_migrate:two@"),
        "PROBE_RABBITMQ_URL": f"amqp://probe:three@{host}/provisioned",
        "GATEWAY_RABBITMQ_URL": f"amqp://gateway:four@{host}/provisioned",
        "WAIT_SECONDS": "60",
    }


async def test_the_urls_of_the_services_come_true(env: Mapping[str, str]) -> None:
    assert main(env) == 0
    assert main(env) == 0
    with psycopg.connect(env["PROBE_MIGRATE_DATABASE_URL"]) as migrate:
        migrate.execute("CREATE TABLE probe.notes (n int)")
    with psycopg.connect(env["PROBE_DATABASE_URL"]) as serve:
        serve.execute("INSERT INTO probe.notes VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            serve.execute("DROP TABLE probe.notes")
    async with await aio_pika.connect(env["PROBE_RABBITMQ_URL"]) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        await exchange.publish(aio_pika.Message(b""), "examhall.probe.done.v1", mandatory=False)
    async with await aio_pika.connect(env["GATEWAY_RABBITMQ_URL"]) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(EXCHANGE, ensure=False)
        with pytest.raises(ChannelAccessRefused):
            await exchange.publish(aio_pika.Message(b""), "examhall.probe.done.v1", mandatory=False)


def test_urls_of_somebody_else_are_refused(
    env: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main({**env, "PROBE_DATABASE_URL": env["PROBE_MIGRATE_DATABASE_URL"]}) == 2
    assert "PROBE_DATABASE_URL must name the role probe_serve" in capsys.readouterr().err


def test_a_server_that_does_not_come_is_told(
    env: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    away = {**env, "ADMIN_DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "WAIT_SECONDS": "0"}
    assert main(away) == 1
    assert "PostgreSQL" in capsys.readouterr().err
