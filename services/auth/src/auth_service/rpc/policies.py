"""Who may call what of auth; what is not listed is refused."""

from __future__ import annotations

from examkit.rpc.policy import Policies, allow

_GATEWAYS = ("gateway-student", "gateway-staff")
_ANYONE = ("admin", "student", "marker", "invigilator")

POLICIES: Policies = {
    # Logging in and refreshing have no user yet; a logout may come after the access token has died.
    "examhall.auth.v1.Identity": allow(*_GATEWAYS),
    "examhall.auth.v1.Identity/GetMe": allow(*_GATEWAYS, roles=_ANYONE),
    "examhall.auth.v1.Identity/ChangePassword": allow(*_GATEWAYS, roles=_ANYONE),
    "examhall.auth.v1.UserAdmin": allow("gateway-staff", roles=("admin",)),
    # Whom they watch, by name. A marker knows nobody.
    "examhall.auth.v1.UserAdmin/BatchGetUsers": allow("gateway-staff", roles=("admin", "invigilator")),
    "examhall.auth.v1.UserImport": allow("import"),
    "examhall.auth.v1.Keys": allow("exam", "grading", "import", *_GATEWAYS),
    "examhall.common.v1.AuditLog": allow("gateway-staff", roles=("admin",)),
}
