"""Moments over the wire: aware datetimes in UTC and protobuf's Timestamp."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def to_timestamp(moment: datetime | None) -> Timestamp | None:
    """None stays None, which leaves a message's field unset."""
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def to_moment(timestamp: Timestamp) -> datetime:
    """Raises ValueError for one that no datetime can hold."""
    try:
        return timestamp.ToDatetime(UTC)
    except OverflowError as error:
        raise ValueError("beyond what a datetime can hold") from error
