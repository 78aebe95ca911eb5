"""Withdrawing the grades of attempts that were reopened or declared void."""

from collections.abc import Sequence
from datetime import datetime

from examkit.db import Tx

from grading_service.repository import withdrawals
from grading_service.repository.withdrawals import Attempt, Withdrawal


async def withdraw_grades(tx: Tx, wanted: Sequence[Withdrawal], now: datetime) -> int:
    """Take these grades from students and results, marks and history kept; how many it was.

    Of an attempt the newest counts; one that is older than the grade changes nothing. The caller took its
    turn (`withdrawals.take_turns`).
    """
    newest: dict[Attempt, Withdrawal] = {}
    for one in wanted:
        if one.attempt not in newest or newest[one.attempt].attempt_version < one.attempt_version:
            newest[one.attempt] = one
    return await withdrawals.put(tx.conn, list(newest.values()), now)
