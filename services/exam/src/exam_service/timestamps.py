"""Moments over the wire: aware datetimes in UTC and protobuf's Timestamp."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_timestamp(moment: datetime | None) -> Timestamp | None:
    """None stays None, which leaves a message's field unset."""
    if moment is None:
        return None
    return Timestamp(**timestamp_fields(moment))


def timestamp_fields(moment: datetime) -> dict[str, int]:
    """Those of a Timestamp."""
    # As FromDatetime, in a fifth of the time: a save has four of them.
    since = moment - _EPOCH
    return {"seconds": since.days * 86_400 + since.seconds, "nanos": since.microseconds * 1_000}


def to_moment(timestamp: Timestamp) -> datetime:
    """Raises ValueError for one that no datetime can hold."""
    try:
        return timestamp.ToDatetime(UTC)
    except OverflowError as error:
        raise ValueError("beyond what a datetime can hold") from error
