"""Who may call what."""

from examkit.rpc.policy import Policies, allow

POLICIES: Policies = {
    "examhall.grading.v1.AnswerKeys/PutKeys": allow("import"),
    "examhall.grading.v1.AnswerKeys/GetKeys": allow("gateway-staff", roles=("admin",)),
    "examhall.grading.v1.Papers": allow("exam"),
    "examhall.grading.v1.Results": allow("gateway-student", roles=("student",)),
    "examhall.grading.v1.Marking": allow("gateway-staff", roles=("admin",)),
    "examhall.grading.v1.Regrading": allow("gateway-staff", roles=("admin",)),
    "examhall.grading.v1.Statistics": allow("gateway-staff", roles=("admin",)),
    "examhall.common.v1.AuditLog": allow("gateway-staff", roles=("admin",)),
}
