"""The private RabbitMQ, for real: its users' rights, its way back after a crash, its end."""

import os
import signal
from pathlib import Path

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from examhall_local import amqp_probe
from examhall_local.processes import strays
from examhall_local.rabbitmq import PrivateRabbit


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory):
    state_dir = tmp_path_factory.mktemp("rabbit")
    node = PrivateRabbit(state_dir, die_with_parent=True)
    node.start()
    yield node
    node.stop()
    assert strays(state_dir) == []


async def _declare(channel: aio_pika.abc.AbstractChannel) -> aio_pika.abc.AbstractExchange:
    return await channel.declare_exchange("examhall.events", aio_pika.ExchangeType.TOPIC, durable=True)


async def test_a_service_works_with_its_own_queues_and_types(node: PrivateRabbit) -> None:
    async with await aio_pika.connect(node.url_of("grading")) as connection:
        channel = await connection.channel()
        exchange = await _declare(channel)
        hops = await channel.declare_exchange("grading.hops", aio_pika.ExchangeType.DIRECT, durable=True)
        retry = {
            "x-queue-type": "quorum",
            "x-dead-letter-exchange": "grading.hops",
            "x-dead-letter-routing-key": "grading.a",
        }
        queue = await channel.declare_queue("grading.a", durable=True, arguments=retry)
        await queue.bind(exchange, "examhall.exam.attempt.closed.v1")
        await queue.bind(hops, "grading.a")
        await exchange.publish(aio_pika.Message(b"1"), "examhall.grading.attempt.graded.v1", mandatory=False)
        await hops.publish(aio_pika.Message(b"2"), "grading.a")
        message = await queue.get(timeout=5)
        assert message.body == b"2"
        await message.ack()


async def test_nobody_puts_messages_into_anothers_queue(node: PrivateRabbit) -> None:
    async with await aio_pika.connect(node.url_of("grading")) as connection:
        channel = await connection.channel()
        await channel.declare_exchange("grading.hops", aio_pika.ExchangeType.DIRECT, durable=True)
        await channel.declare_queue("grading.forged", durable=True, arguments={"x-queue-type": "quorum"})
    for exchange in ("", "grading.hops"):
        async with await aio_pika.connect(node.url_of("import")) as connection:
            channel = await connection.channel()
            target = (
                await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
            )
            with pytest.raises((ChannelAccessRefused, aio_pika.exceptions.ChannelClosed)):
                await target.publish(aio_pika.Message(b"forged"), "grading.forged", timeout=5)


@pytest.mark.parametrize(
    ("user", "routing_key"),
    [
        ("gateway", "examhall.exam.attempt.closed.v1"),
        ("import", "examhall.exam.#"),
        ("auth", "#"),
        ("exam", "examhall.imports.job.queued.v1"),
    ],
)
async def test_nobody_hears_what_is_not_meant_for_it(
    node: PrivateRabbit, user: str, routing_key: str
) -> None:
    async with await aio_pika.connect(node.url_of(user)) as connection:
        channel = await connection.channel()
        exchange = await _declare(channel)
        queue = await channel.declare_queue(f"{user}.live.spy", exclusive=True, auto_delete=True)
        with pytest.raises(ChannelAccessRefused):
            await queue.bind(exchange, routing_key)


@pytest.mark.parametrize(
    ("user", "routing_key"),
    [
        ("exam", "examhall.grading.attempt.graded.v1"),
        ("import", "examhall.import.job.v1"),
        ("gateway", "examhall.gateway.x.v1"),
    ],
)
async def test_nobody_publishes_in_anothers_name(node: PrivateRabbit, user: str, routing_key: str) -> None:
    async with await aio_pika.connect(node.url_of(user)) as connection:
        channel = await connection.channel()
        exchange = await _declare(channel)
        with pytest.raises((ChannelAccessRefused, aio_pika.exceptions.ChannelClosed)):
            await exchange.publish(aio_pika.Message(b""), routing_key, mandatory=False, timeout=5)


async def test_import_publishes_under_its_domains_name(node: PrivateRabbit) -> None:
    async with await aio_pika.connect(node.url_of("import")) as connection:
        exchange = await _declare(await connection.channel())
        await exchange.publish(aio_pika.Message(b""), "examhall.imports.job.completed.v1", mandatory=False)


async def test_nobody_touches_anothers_queue(node: PrivateRabbit) -> None:
    async with await aio_pika.connect(node.url_of("gateway")) as connection:
        channel = await connection.channel()
        live = await channel.declare_queue("gateway.live.x", exclusive=True, auto_delete=True)
        await live.bind(await _declare(channel), "examhall.auth.access.revoked.v1")
        with pytest.raises(ChannelAccessRefused):
            await channel.declare_queue("grading.attempts", durable=True)


async def test_what_was_confirmed_outlives_a_crash(node: PrivateRabbit) -> None:
    url = node.url
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("exam.kept", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"kept"), "exam.kept")
    node.settle()
    assert node.process is not None
    os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait()
    assert node.start() == url
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue("exam.kept")
        message = await queue.get(timeout=10)
        assert message.body == b"kept"
        await message.ack()


def test_the_probe_knows_a_node_that_does_not_let_one_in(node: PrivateRabbit) -> None:
    assert amqp_probe.answers(node.url)
    assert not amqp_probe.answers(node.url.replace("administrator:", "nobody:"))
    assert not amqp_probe.answers("amqp://a:b@127.0.0.1:1/x")


def test_the_node_obeys_rabbitmqctl(node: PrivateRabbit) -> None:
    done = PrivateRabbit(node._state_dir).control("list_vhosts", "--silent")
    assert (done.returncode, done.stdout.split()) == (0, ["examhall"]), done.stderr


def test_it_listens_on_this_machine_alone(node: PrivateRabbit) -> None:
    assert node.process is not None
    assert node.epmd is not None
    inodes = {
        link.readlink().name
        for pid in (node.process.pid, node.epmd.pid)
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    }
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                listening.append(fields[1].rpartition(":")[0])
    # 127.0.0.1 and ::1, as the kernel writes them
    assert len(listening) >= 3
    assert set(listening) <= {"0100007F", "00000000000000000000000001000000"}
