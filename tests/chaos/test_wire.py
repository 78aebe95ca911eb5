"""The wire against a real listener: what it carries, and what becomes of connections as it is harmed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from examkit.testing.waiting import eventually

from tests.chaos.wire import Wire
from tests.harness.system import free_port


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """To somebody who sends everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    far_end = await asyncio.start_server(echo, "127.0.0.1", 0)
    found = Wire(free_port(), far_end.sockets[0].getsockname()[:2])
    await found.open()
    yield found
    await found.close()
    far_end.close()


async def connected(wire: Wire) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = wire.address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_it_carries_both_ways_to_the_end(wire: Wire) -> None:
    reader, writer = await connected(wire)
    writer.write(b"there and back")
    writer.write_eof()
    assert await reader.read() == b"there and back"
    writer.close()


async def test_what_was_sent_into_silence_comes_after_it(wire: Wire) -> None:
    reader, writer = await connected(wire)
    with wire.silent():
        assert wire.is_harmed
        writer.write(b"late")
        writer.write_eof()
        new_reader, new_writer = await connected(wire)
        new_writer.write(b"later")
        waiting = [asyncio.create_task(reader.read()), asyncio.create_task(new_reader.readexactly(5))]
        done, _ = await asyncio.wait(waiting, timeout=0.2)
        assert not done
    assert await asyncio.gather(*waiting) == [b"late", b"later"]
    writer.close()
    new_writer.close()


async def test_cut_connections_are_reset_and_new_ones_taken(wire: Wire) -> None:
    reader, writer = await connected(wire)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    assert wire.cut() == 2
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    await test_it_carries_both_ways_to_the_end(wire)


async def test_nobody_gets_through_while_it_refuses(wire: Wire) -> None:
    reader, writer = await connected(wire)
    async with wire.refused():
        assert wire.is_harmed
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await connected(wire)
    writer.close()
    await eventually(lambda: not wire.is_harmed)
    await test_it_carries_both_ways_to_the_end(wire)
