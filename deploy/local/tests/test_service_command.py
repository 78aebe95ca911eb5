"""Commands of services and psql, beside the system: while it is up, and of one that is down."""

from collections.abc import Callable
from typing import Any

MakeCheckout = Callable[[str, int], Any]


def test_commands_get_the_settings_of_the_system(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    assert checkout.run("queues") == (1, f"there is no data in {checkout.state_dir}\n")
    assert checkout.run("up")[0] == 0

    everybody = "".join(f"{name} queues True\n" for name in checkout.services)
    assert checkout.run("queues") == (0, everybody)
    resent = checkout.run("queues", "--resend", "grading.attempts")
    assert resent == (0, "grading queues --resend grading.attempts True\n")
    assert checkout.run("attempt", "1") == (0, "exam attempt 1 True\ngrading attempt 1 True\n")
    assert checkout.run("service", "auth", "rotate-keys", "--x") == (0, "auth rotate-keys --x True\n")
    assert checkout.run("service", "nobody", "x") == (1, "there is no service nobody\n")
    status, output = checkout.run("service", "exam", "announce", BREAK="announce")
    assert (status, "the broker is gone" in output) == (1, True)
    status, output = checkout.run("psql", "--sql", "SELECT current_user")
    assert (status, "examhall_admin" in output) == (0, True)
    assert checkout.run("psql", "--sql", "SELECT 1 / 0")[0] == 1

    # Down, there is its database, started for the command alone.
    assert checkout.run("down")[0] == 0
    assert checkout.run("service", "exam", "give-time") == (0, "exam give-time False\n")
    assert checkout.run("psql", "--sql", "SELECT current_user")[0] == 0
    assert checkout.folder.read_state() is None
