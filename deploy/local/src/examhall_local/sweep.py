"""Ends what a supervisor left behind: it was killed, or the machine lost power in between."""

import os
import signal

from examhall_local.plan import GATEWAY
from examhall_local.processes import end, is_alive, strays
from examhall_local.statedir import StateDir

_NODES = ("rabbitmq", "postgres", "epmd")
_GRACE = 15.0  # seconds


def sweep(folder: StateDir) -> list[str]:
    """Ends every process of the folder but the caller, in order; gives the names of those found alive.

    What was noted comes first, then whatever carries the folder's marker. With nothing left it takes
    milliseconds.
    """
    noted = {name: p for name, p in folder.read_processes().items() if is_alive(p) and p.pid != os.getpid()}
    # A supervisor that is left over would start again what is ended here.
    in_order = [
        "supervisor",
        GATEWAY,
        *(n for n in noted if n not in ("supervisor", GATEWAY, *_NODES)),
        *_NODES,
    ]
    for name in in_order:
        if name in noted:
            end([noted[name]], _GRACE, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    others = strays(folder.path)
    end(others, 5)
    folder.forget()
    return [*noted, *(f"process {p.pid}" for p in others)]
