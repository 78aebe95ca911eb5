"""Revocations as others see them: the message in events and answers."""

from __future__ import annotations

from examkit.events import Event
from examprotos.auth.v1 import events_pb2, keys_pb2

from auth_service.domain.revocation import Revocation, SessionRevocation

ACCESS_REVOKED = "examhall.auth.access.revoked.v1"


def to_message(entry: Revocation) -> keys_pb2.Revocation:
    message = keys_pb2.Revocation(code=entry.code)
    message.expires_at.FromDatetime(entry.expires_at)
    if isinstance(entry, SessionRevocation):
        message.session_id = str(entry.session_id)
    else:
        message.user.user_id = str(entry.user_id)
        message.user.min_token_version = entry.min_token_version
    return message


def to_event(entry: Revocation) -> Event:
    subject = entry.session_id if isinstance(entry, SessionRevocation) else entry.user_id
    return Event(ACCESS_REVOKED, str(subject), events_pb2.AccessRevoked(revocation=to_message(entry)))
