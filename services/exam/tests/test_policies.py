"""What an invigilator may call of exam: whatever is not written here is refused."""

from exam_service.rpc.policies import POLICIES
from examkit.rpc.policy import rule_for
from examprotos.exam.v1 import (
    attempts_pb2,
    authoring_pb2,
    content_store_pb2,
    exam_ends_pb2,
    files_pb2,
    invigilation_pb2,
)

PROTOS = (attempts_pb2, authoring_pb2, content_store_pb2, exam_ends_pb2, files_pb2, invigilation_pb2)
INVIGILATOR = {
    "Authoring/ListExams",
    "Invigilation/GetAccommodation",
    "Invigilation/ListAttempts",
    "Invigilation/GetAttempt",
    "Invigilation/ExtendAttempt",
    "Invigilation/PauseAttempt",
    "Invigilation/ResumeAttempt",
    "Invigilation/VoidAttempt",
}


def allowed(role: str) -> set[str]:
    """The methods that a person of this role may call."""
    found = set()
    for proto in PROTOS:
        for service in proto.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                rule = rule_for(POLICIES, f"/{service.full_name}/{method.name}")
                if rule is not None and rule.roles is not None and role in rule.roles:
                    found.add(f"{service.name}/{method.name}")
    return found


def test_what_an_invigilator_may() -> None:
    assert allowed("invigilator") == INVIGILATOR
    assert allowed("admin") > INVIGILATOR


def test_every_rule_is_of_a_method_that_there_is() -> None:
    known = {
        f"{service.full_name}/{method.name}"
        for proto in PROTOS
        for service in proto.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert {key for key in POLICIES if "/" in key} <= known
