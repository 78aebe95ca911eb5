"""Who may call what of this service. What is not listed is refused."""

from examkit.rpc.policy import Policies, allow

_STAFF = allow("gateway-staff", roles=("admin",))

POLICIES: Policies = {
    "examhall.imports.v1.Imports": _STAFF,
    "examhall.imports.v1.Content": _STAFF,
    "examhall.common.v1.AuditLog": _STAFF,
}
