"""Who may call what: caller allowlists by service and method, refusing by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OPEN_TO_EVERY_PEER = frozenset(
    {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "grpc.reflection.v1.ServerReflection",
    }
)
"""Services that any peer with a certificate of ours may call, `operator` included."""


@dataclass(frozen=True)
class Allow:
    """One rule of an allowlist.

    `callers`: identities from client certificates. `roles`: the user's token is required and must
    hold one of them; None: a call without a user is fine, but a token that is present is verified.
    """

    callers: frozenset[str]
    roles: frozenset[str] | None


Policies = Mapping[str, Allow]
"""Key `examhall.exam.v1.Attempts` for a service; `examhall.exam.v1.Attempts/SaveBatch` goes before it."""


def allow(*callers: str, roles: tuple[str, ...] | None = None) -> Allow:
    """`allow("gateway-student", roles=("student",))`: a shorthand for tables of policies."""
    return Allow(frozenset(callers), None if roles is None else frozenset(roles))


def rule_for(policies: Policies, method: str) -> Allow | None:
    """The rule for a gRPC method path (`/package.Service/Method`); None: no one may call it."""
    path = method.removeprefix("/")
    return policies.get(path) or policies.get(path.partition("/")[0])


def service_names(policies: Policies) -> tuple[str, ...]:
    """The full names of the proto services that the policies speak of, sorted."""
    return tuple(sorted({key.partition("/")[0] for key in policies}))
