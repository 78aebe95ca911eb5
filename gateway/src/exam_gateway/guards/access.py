"""Who may pass: tokens, roles and rates, in one place for thin routes and FastAPI's alike."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from examkit.errors import AppError, forbidden, unauthenticated
from examkit.principal import Principal
from examkit.rpc.interceptors import bearer_token
from examkit.tokens import TokenVerifier
from starlette.types import Scope

from exam_gateway.guards.headers import header
from exam_gateway.guards.limits import RateLimits

USER = "examhall.user"
"""Scope key: the id of the user, once admitted."""


@dataclass(frozen=True)
class Gatekeeper:
    """`trusted_proxies`: how many hops of X-Forwarded-For are our own."""

    verifier: TokenVerifier
    limits: RateLimits
    trusted_proxies: int = 0

    async def admit(self, scope: Scope, roles: Collection[str] | None) -> tuple[Principal, str]:
        """The user and the token of a request. Raises unauthenticated; forbidden for any other role."""
        token = bearer_token(header(scope, b"authorization"))
        if not token:
            raise unauthenticated("Sign in first.")
        principal = self.verifier.remembered(token) or await self.verifier.verify(token)
        if roles is not None and principal.role not in roles:
            raise forbidden("Your role does not allow this.")
        scope[USER] = principal.user_id
        return principal, token

    def known(self, scope: Scope, role: str) -> tuple[Principal, str] | None:
        """The same of somebody who was here before; None for whom `admit` is to judge."""
        try:
            token = bearer_token(header(scope, b"authorization"))
            principal = self.verifier.remembered(token) if token else None
        except AppError:
            return None
        if token is None or principal is None or principal.role != role:
            return None
        return principal, token

    def address(self, scope: Scope) -> str:
        """The client's address, as the outermost proxy of ours saw it."""
        direct: str = (scope.get("client") or ("unknown", 0))[0]
        if not self.trusted_proxies:
            return direct
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = [hop.strip() for hop in ",".join(values).split(",") if hop.strip()]
        if not hops:
            return direct
        told = hops[-self.trusted_proxies] if len(hops) >= self.trusted_proxies else hops[0]
        try:
            return str(ipaddress.ip_address(told))
        except ValueError:
            return direct
