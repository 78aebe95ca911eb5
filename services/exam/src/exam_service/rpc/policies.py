"""Who may call what of this service. What is not listed is refused."""

from examkit.rpc.policy import Policies, allow

_STAFF = allow("gateway-staff", roles=("admin",))
_ROOM = allow("gateway-staff", roles=("admin", "invigilator"))

POLICIES: Policies = {
    "examhall.exam.v1.Attempts": allow("gateway-student", roles=("student",)),
    # Each save carries its student's token, and is checked on its own.
    "examhall.exam.v1.Attempts/SaveBatch": allow("gateway-student"),
    "examhall.exam.v1.AnswerFiles": allow("gateway-student", roles=("student",)),
    "examhall.exam.v1.QuestionFiles": _STAFF,
    # One address for all: the gateway of students' surface asks for staff too, with their token.
    "examhall.exam.v1.Files": allow("gateway-student", "gateway-staff", roles=("student", "admin")),
    "examhall.exam.v1.Authoring": _STAFF,
    # Titles and windows, without questions.
    "examhall.exam.v1.Authoring/ListExams": _ROOM,
    "examhall.exam.v1.Invigilation": _STAFF,
    "examhall.exam.v1.Invigilation/GetAccommodation": _ROOM,
    "examhall.exam.v1.Invigilation/ListAttempts": _ROOM,
    "examhall.exam.v1.Invigilation/GetAttempt": _ROOM,
    "examhall.exam.v1.Invigilation/ExtendAttempt": _ROOM,
    "examhall.exam.v1.Invigilation/PauseAttempt": _ROOM,
    "examhall.exam.v1.Invigilation/ResumeAttempt": _ROOM,
    "examhall.exam.v1.Invigilation/VoidAttempt": _ROOM,
    "examhall.exam.v1.ContentStore": allow("import"),
    "examhall.exam.v1.ExamEnds": allow("grading"),
    "examhall.common.v1.AuditLog": _STAFF,
}
