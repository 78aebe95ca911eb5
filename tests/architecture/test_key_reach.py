"""No message that a student's surface can see, nor one that the exam service holds, can carry a key."""

import importlib
import pkgutil

import examprotos
from examprotos.grading.v1 import keys_pb2
from google.protobuf.descriptor import Descriptor, FileDescriptor, ServiceDescriptor

STUDENT_SERVICES = {
    "examhall.exam.v1.Attempts",
    "examhall.exam.v1.AnswerFiles",
    "examhall.exam.v1.Files",
    "examhall.grading.v1.Results",
    "examhall.auth.v1.Identity",
}
KEY_MESSAGES = {f"examhall.grading.v1.{name}" for name in keys_pb2.DESCRIPTOR.message_types_by_name}
# Fields by these names would be a key under another message's roof.
KEY_FIELDS = {"key", "keys", "correct", "accepted", "tolerance", "explanation", "rubric", "model_answer"}
# The student's view of a result holds the right answer where the policy reveals it; grading alone writes it.
REVEALED = {
    ("examhall.grading.v1.StudentResultItem", "correct_json"),
    ("examhall.grading.v1.StudentResultItem", "explanation"),
}


def _files() -> list[FileDescriptor]:
    found = []
    for module in pkgutil.walk_packages(examprotos.__path__, "examprotos."):
        if module.name.endswith("_pb2"):
            found.append(importlib.import_module(module.name).DESCRIPTOR)
    return found


def _services() -> dict[str, ServiceDescriptor]:
    return {one.full_name: one for file in _files() for one in file.services_by_name.values()}


def _reachable(message: Descriptor, seen: dict[str, Descriptor]) -> dict[str, Descriptor]:
    if message.full_name not in seen:
        seen[message.full_name] = message
        for field in message.fields:
            if field.message_type is not None:
                _reachable(field.message_type, seen)
    return seen


def _of_services(names: set[str]) -> dict[str, Descriptor]:
    seen: dict[str, Descriptor] = {}
    for name in names:
        for method in _services()[name].methods:
            _reachable(method.input_type, seen)
            _reachable(method.output_type, seen)
    return seen


def _imported(file: FileDescriptor, seen: set[str]) -> set[str]:
    if file.name not in seen:
        seen.add(file.name)
        for dependency in file.dependencies:
            _imported(dependency, seen)
    return seen


def test_the_walk_finds_keys_where_they_are() -> None:
    assert "examhall.grading.v1.AnswerKey" in _of_services({"examhall.grading.v1.AnswerKeys"})


def test_no_students_message_reaches_a_key() -> None:
    reachable = _of_services(STUDENT_SERVICES)
    assert not KEY_MESSAGES & reachable.keys()
    for name, message in reachable.items():
        for field in message.fields:
            if (name, field.name) not in REVEALED:
                assert field.name not in KEY_FIELDS, f"{name}.{field.name}"


def test_no_students_proto_imports_the_keys() -> None:
    for name in STUDENT_SERVICES:
        assert "examprotos/grading/v1/keys.proto" not in _imported(_services()[name].file, set()), name


def test_the_exam_service_has_no_field_for_a_key() -> None:
    for file in _files():
        if not file.name.startswith("examprotos/exam/"):
            continue
        assert not any("grading" in name for name in _imported(file, set())), file.name
        for message in file.message_types_by_name.values():
            for field in message.fields:
                assert field.name not in KEY_FIELDS, f"{message.full_name}.{field.name}"


def test_events_hold_no_keys() -> None:
    seen: dict[str, Descriptor] = {}
    for file in _files():
        if file.name.endswith("/events.proto"):
            for message in file.message_types_by_name.values():
                _reachable(message, seen)
    assert seen
    assert not KEY_MESSAGES & seen.keys()
