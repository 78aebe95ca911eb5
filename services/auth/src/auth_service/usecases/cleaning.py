"""Forgetting what is over: sessions, failures, revocations, links."""

from __future__ import annotations

from datetime import timedelta

from auth_service.domain.throttling import FORGET_AFTER
from auth_service.repository import credentials, revocations, sessions, throttle
from auth_service.usecases.unit import Auth

KEEP_SESSIONS = timedelta(days=1)
"""An ended session is remembered for a while, to tell a re-used token from an unknown one."""
_BATCH = 1000


async def clean(auth: Auth) -> None:
    """Small transactions, so that nobody waits for it; safe on several replicas at a time."""
    now = auth.clock()
    dropped = _BATCH
    while dropped == _BATCH:
        async with auth.db.transaction() as tx:
            dropped = await sessions.drop_old(tx.conn, now - KEEP_SESSIONS, _BATCH)
    async with auth.db.transaction() as tx:
        await throttle.drop_old(tx.conn, now - FORGET_AFTER)
    async with auth.db.transaction() as tx:
        await revocations.drop_expired(tx.conn, now)
    async with auth.db.transaction() as tx:
        await credentials.drop_expired_links(tx.conn, now)
