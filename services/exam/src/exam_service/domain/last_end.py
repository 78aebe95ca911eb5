"""Until when anybody may still sit an exam: grading reveals no answers before."""

from datetime import datetime, timedelta


def last_possible_end(
    *,
    closed_at: datetime | None,
    end_time: datetime | None,
    grace_seconds: int,
    accommodated_end: datetime | None,
    running_end: datetime | None,
    paused: bool = False,
) -> datetime | None:
    """The latest moment at which an answer may still be taken, grace included; None: without end.

    `accommodated_end`: the latest end that an accommodation gives a student; `running_end`: the latest
    deadline of an attempt under way with its grace. A closed exam takes no new starts, so that only what
    runs counts. `paused`: an attempt's clock stands still, and nobody knows for how long.
    """
    if paused:
        return None
    if closed_at is not None:
        return closed_at if running_end is None else max(closed_at, running_end)
    if end_time is None:
        return None
    own_ends = [end for end in (end_time, accommodated_end) if end is not None]
    latest = max(own_ends) + timedelta(seconds=grace_seconds)
    return latest if running_end is None else max(latest, running_end)
