"""A process that serves gRPC may start others: gRPC has no hand in it."""

import os
import subprocess
import sys

PROGRAM = """
import asyncio
import examkit
import grpc
import uvloop

async def main():
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.channel_ready()
        child = await asyncio.create_subprocess_exec("true")
        await child.wait()
    await server.stop(None)

with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""


def test_a_child_is_started_without_handlers_of_grpc() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PATH": os.defpath},
        text=True,
        capture_output=True,
        check=True,
        timeout=60,
    )
    # Where they are on, they say that they can't do their work beside other threads.
    assert "fork" not in done.stderr
