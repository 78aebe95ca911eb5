"""What writes history is never repeated by the gateway itself."""

import uuid
from types import SimpleNamespace

import gateway_samples as samples
import grpc
import pytest
from exam_gateway.staff import accommodations, marking, result_shapes
from examkit.errors import AppError


class _Lost:
    """A method whose reply never comes back: nobody knows whether it was done."""

    def __init__(self):
        self.sent = 0

    async def __call__(self, _request, *, timeout, metadata):
        self.sent += 1
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())


class _Student:
    async def __call__(self, _request, *, timeout, metadata):
        return samples.user()


async def test_what_writes_history_is_sent_once():
    lost = _Lost()
    staff = SimpleNamespace(
        marking=SimpleNamespace(PutMark=lost),
        invigilation=SimpleNamespace(PutAccommodation=lost),
        users=SimpleNamespace(GetUser=_Student()),
    )
    student, exam, question = (uuid.UUID(each) for each in (samples.STUDENT, samples.EXAM, samples.QUESTION))
    granted = accommodations.AccommodationIn(extra_time_percent=25)
    for number, sent in enumerate(
        (
            marking.put_mark(student, question, result_shapes.Mark(score=1), staff),
            accommodations.put_own(student, granted, staff),
            accommodations.put_of_exam(exam, student, granted, staff),
        ),
        start=1,
    ):
        with pytest.raises(AppError) as refused:
            await sent
        assert (refused.value.code, lost.sent) == ("unavailable", number)
