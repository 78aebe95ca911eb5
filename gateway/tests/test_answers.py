"""Answers as they are read: a hostile one is refused alone, and nothing walks through it."""

import asyncio
import sys
import threading
from contextlib import contextmanager

import gateway_samples as samples
import pytest
from exam_gateway.guards.body import LARGE, MIB
from exam_gateway.student import answers
from examkit.errors import AppError

MANY = "/api/v1/student/save-answers"


QUESTION = samples.QUESTION.encode()


def written(*items):
    """The body of save-answers, of items that are JSON already."""
    return b'{"student_exam_id":"%s","answers":[%s]}' % (samples.ATTEMPT.encode(), b",".join(items))


def raw(answer, revision=b"1"):
    return b'{"question_id":"%s","answer":%s,"revision":%s}' % (samples.QUESTION.encode(), answer, revision)


@contextmanager
def few_lines():
    """Fails where Python walks through what was sent: that many lines are not needed to refuse it."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        assert count < 20_000, "a walk through the body"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize(
    "answer",
    [
        b"[%s]" % b",".join([b'"aaaaaa"'] * 1_500_000),
        b"[%s]" % b",".join([b"0"] * 5_000_000),
        b"{%s}" % b",".join([b'"a":0'] * 2_000_000),
        b"[%s]" % b",".join([b'""'] * 130_000),
        b'"%s"' % (b"\\n" * 7_000_000),
        b'"%s"' % (b"\\ud800" * 900),
        b'"%s\\ud800"' % (b"\\n" * 150_000),
        b"[%s]" % b",".join([b'"A"'] * 27),
        b"9" * 300_000,
        b"5",
        b'{"A": true}',
        b"[5]",
        b'"\xed\xa0\x80"',
    ],
    ids=lambda answer: f"{answer[:12].decode('latin-1')}-{len(answer)}",
)
def test_a_hostile_answer_is_refused_alone_and_unwalked(answer):
    body = written(raw(b'"B"'), raw(answer), raw(b'["A","C"]'))
    with few_lines():
        read = answers.read_many(body)
    assert [save["answer_json"] for save in read.good] == [b'"B"', b'["A","C"]']
    (refused,) = read.refused
    assert (refused.question_id, refused.code) == (samples.QUESTION, "invalid")


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (written(*[raw(b"1")] * 130_000), ("body", "answers")),
        (written(*[b"0"] * 7_000_000), ("body", "answers")),
        (b"[" * 16_000_000, ("body",)),
        # More than any text has are no mistake of one answer any more.
        (written(raw(b'"%s"' % (b"\\ud800" * 2_000_000))), ("body",)),
    ],
    ids=["answers", "numbers", "brackets", "surrogates"],
)
def test_a_hostile_list_is_refused_unwalked(body, loc):
    with few_lines(), pytest.raises(AppError) as refused:
        answers.read_many(body)
    assert (refused.value.code, refused.value.errors[0].loc) == ("invalid", loc)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"5", ""),
        (b'{"question_id":5,"answer":"A"}', ""),
        (b'{"question_id":"%s"}' % QUESTION, QUESTION.decode()),
        (b'{"question_id":"%s","answer":"A","z":1}' % QUESTION, QUESTION.decode()),
    ],
    ids=["no object", "no text", "no answer", "unknown field"],
)
def test_a_misshapen_answer_costs_no_other(text, named):
    read = answers.read_many(written(raw(b'"A"'), text))
    assert len(read.good) == 1
    assert [refused.question_id for refused in read.refused] == [named]


def test_a_long_name_is_not_quoted_in_full():
    with pytest.raises(AppError) as refused:
        answers.read_many(b'{"%s - at `$.x":1}' % (b"x" * 100_000))
    assert len(refused.value.detail) < 300


def test_a_revision_of_many_digits():
    (refused,) = answers.read_many(written(raw(b'"B"', b"9" * 1_000_000))).refused
    assert refused.detail.startswith("revision")


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (rb'"\ud83d\ude00"', True),
        (rb'"\\ud83d"', True),
        (rb'"\\\ud83d"', False),
        (rb'"\\\ud83d\ude00"', True),
        (rb'"\\ud83d\ude00"', False),
        (rb'"\ud83d\ud83d\ude00"', False),
        (rb'"\ude00\ud83d"', False),
        (rb'["\uD83D"]', False),
        (rb'"\u0000"', False),
        (rb'"\\u0000"', True),
    ],
)
def test_surrogates_are_told_from_pairs(answer, good):
    # Another answer has one for certain, so that the way round them is taken.
    read = answers.read_many(written(raw(rb'"\ud800"'), raw(answer)))
    assert [save["answer_json"] for save in read.good] == ([answer] if good else [])
    assert len(read.refused) == (1 if good else 2)


async def test_all_the_text_that_is_allowed(gateway, fakes):
    """200 answers of 64 KiB each."""
    fakes.answers["Attempts/SaveBatch"] = samples.store_all
    content = written(*[raw(b'"%s"' % (b"x" * LARGE))] * 200)
    assert 12 * MIB < len(content) < 16 * MIB
    reply = await gateway.student.post(MANY, content=content)
    assert (reply.status_code, len(reply.json()["saved"])) == (200, 200)


async def test_large_bodies_are_read_off_the_loop_one_at_a_time():
    reader = answers.AnswerReader()
    seen, busy = [], threading.Lock()

    def read(body, *_arguments):
        assert busy.acquire(blocking=False)
        seen.append((len(body), threading.current_thread() is threading.main_thread()))
        busy.release()

    await reader.read(read, b" " * LARGE, None)
    await asyncio.gather(*(reader.read(read, b" " * (LARGE + 1), None) for _ in range(3)))
    assert seen == [(LARGE, True), *[(LARGE + 1, False)] * 3]
