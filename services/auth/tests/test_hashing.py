"""Hashing steps back: it has the machine's idle time, and a small share of a busy one."""

import os
import sys
import threading

import pytest
from auth_service.hashing import NICE, PasswordHashing


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")
async def test_hashing_goes_behind_everything_else() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    with PasswordHashing() as hashing:
        assert await hashing._run(priority) == NICE
    assert priority() < NICE
