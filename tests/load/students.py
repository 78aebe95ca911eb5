"""Students for a measurement: tokens without logins, attempts begun by the API, saves as a page sends them.

A hundred thousand logins would take longer than the exam: the bench gives its copy the key that seals the
signing keys, and so can sign access tokens as auth would.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
import psycopg
from auth_service.sealing import Seal

from tests.load.arrivals import Check, Request
from tests.load.http import rendered

HOURS = 12
_SIGNING = "SELECT kid, sealed_private_key FROM auth.signing_keys ORDER BY signs_from DESC LIMIT 1"


@dataclass(slots=True)
class Student:
    """One who sits: `questions` are (id, option ids), `revisions` grow by question."""

    token: str
    attempt: str = ""
    questions: Sequence[tuple[str, Sequence[str]]] = ()
    revisions: dict[str, int] = field(default_factory=dict)

    def began(self, attempt: dict[str, Any]) -> None:
        self.attempt = attempt["student_exam_id"]
        self.questions = [
            (one["id"], [option["id"] for option in one["options"]] or ["true", "false"])
            for one in attempt["questions"]
            if one["type"] in ("single_choice", "true_false")
        ]

    def save(self, chance: random.Random, answers: int) -> Request:
        """The next save, of so many answers to questions picked at random."""
        items = []
        for question, options in chance.sample(self.questions, answers):
            revision = self.revisions[question] = self.revisions.get(question, 0) + 1
            items.append(
                f'{{"question_id":"{question}","answer":"{chance.choice(options)}","revision":{revision}}}'
            )
        body = f'{{"student_exam_id":"{self.attempt}","answers":[{",".join(items)}]}}'
        return rendered("POST", "/student/save-answers", self.token, body.encode()), _stored(answers)

    def submit(self) -> Request:
        body = json.dumps({"student_exam_id": self.attempt}).encode()
        return rendered("POST", "/student/submit", self.token, body), ok


def ok(status: int, _body: bytes) -> bool:
    return 200 <= status < 300


def _stored(answers: int) -> Check:
    return _STORED[answers]


def _all_stored(answers: int) -> Check:
    return lambda status, body: status == 200 and body.count(b'"outcome":"stored"') == answers


_STORED = {answers: _all_stored(answers) for answers in range(1, 21)}


def mint(dsn: str, sealing_key: bytes, count: int) -> list[Student]:
    """So many students with tokens that live for `HOURS`."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(_SIGNING).fetchone()
    assert row is not None
    kid, sealed = row
    private = Seal(sealing_key).open(kid, bytes(sealed))
    now = int(time.time())
    common = {"role": "student", "groups": [], "ver": 0, "iat": now, "exp": now + HOURS * 3600}
    common |= {"iss": "examhall", "aud": "examhall-api"}

    def token() -> str:
        claims = {**common, "sub": str(uuid4()), "sid": str(uuid4())}
        return jwt.encode(claims, private, "EdDSA", {"kid": kid, "typ": "at+jwt"})

    return [Student(token()) for _ in range(count)]


def saves(students: Sequence[Student], answers: int = 2, seed: int = 1) -> Callable[[], Request]:
    """The saves of a class: each time another student, in turn."""
    chance = random.Random(seed)
    turn = 0

    def following() -> Request:
        nonlocal turn
        turn = (turn + 1) % len(students)
        return students[turn].save(chance, answers)

    return following
