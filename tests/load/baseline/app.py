"""The same exam as one FastAPI application: SQLModel, select then write, commit; graded within the submit."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import JSON, Column, DateTime, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, create_engine, select

SECRET = "a-secret-of-the-baseline-that-is-long-enough"
ARGON = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# More than there are requests at once: with the default of 5 + 10 those that have ended wait for a thread to
# give their connection back, and all threads for a connection.
engine = create_engine(os.environ["BASELINE_DATABASE_URL"], pool_size=140, max_overflow=0)
app = FastAPI()


def now() -> datetime:
    return datetime.now(UTC)


def _time() -> Any:
    return Column(DateTime(timezone=True))


class User(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    email: str = Field(index=True, unique=True)
    password: str


class Question(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    exam_id: UUID = Field(index=True)
    text: str
    options: list[str] = Field(sa_column=Column(JSON))
    correct: str
    points: float = 1.0


class Attempt(SQLModel, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    user_id: UUID = Field(index=True)
    exam_id: UUID = Field(index=True)
    status: str = "in_progress"
    deadline: datetime = Field(sa_column=_time())
    last_activity: datetime = Field(default_factory=now, sa_column=_time())
    score: float | None = None


class Answer(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("attempt_id", "question_id"),)
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    attempt_id: UUID = Field(index=True, foreign_key="attempt.id")
    question_id: UUID = Field(foreign_key="question.id")
    answer: str
    revision: int
    saved_at: datetime = Field(sa_column=_time())


class Login(SQLModel):
    email: str
    password: str


class AnswerIn(SQLModel):
    question_id: UUID
    answer: str
    revision: int


class Saves(SQLModel):
    student_exam_id: UUID
    answers: list[AnswerIn]


class Submit(SQLModel):
    student_exam_id: UUID


def database() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def student(authorization: Annotated[str, Header()]) -> UUID:
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401, "unauthenticated") from None
    return UUID(claims["sub"])


Db = Annotated[Session, Depends(database)]
Me = Annotated[UUID, Depends(student)]
PREFIX = "/api/v1"


@app.post(f"{PREFIX}/auth/login")
def login(body: Login, db: Db) -> dict[str, Any]:
    user = db.exec(select(User).where(User.email == body.email)).first()
    try:
        ARGON.verify(user.password if user else "", body.password)
    except VerifyMismatchError:
        raise HTTPException(401, "invalid_credentials") from None
    assert user is not None
    return {"access_token": jwt.encode({"sub": str(user.id)}, SECRET, "HS256")}


@app.post(f"{PREFIX}/student/start/{{exam_id}}", status_code=201)
def start(exam_id: UUID, me: Me, db: Db) -> dict[str, Any]:
    if db.exec(select(Attempt).where(Attempt.user_id == me, Attempt.exam_id == exam_id)).first():
        raise HTTPException(409, "already_started")
    attempt = Attempt(user_id=me, exam_id=exam_id, deadline=now() + timedelta(hours=8))
    db.add(attempt)
    db.commit()
    db.refresh(attempt)
    questions = db.exec(select(Question).where(Question.exam_id == exam_id)).all()
    return {
        "student_exam_id": attempt.id,
        "deadline": attempt.deadline,
        "questions": [
            {
                "id": one.id,
                "type": "single_choice",
                "text": one.text,
                "options": [
                    {"id": letter, "text": text}
                    for letter, text in zip("ABCDEFGH", one.options, strict=False)
                ],
            }
            for one in questions
        ],
    }


def _own(db: Session, attempt_id: UUID, me: UUID) -> Attempt:
    attempt = db.get(Attempt, attempt_id)
    if attempt is None or attempt.user_id != me:
        raise HTTPException(404, "not_found")
    return attempt


@app.post(f"{PREFIX}/student/save-answers")
def save_answers(body: Saves, me: Me, db: Db) -> dict[str, Any]:
    attempt = _own(db, body.student_exam_id, me)
    if attempt.status != "in_progress" or now() > attempt.deadline:
        raise HTTPException(400, "time_limit_exceeded")
    saved = []
    for item in body.answers:
        answer = db.exec(
            select(Answer).where(Answer.attempt_id == attempt.id, Answer.question_id == item.question_id)
        ).first()
        outcome = "stored"
        if answer is None:
            answer = Answer(attempt_id=attempt.id, saved_at=now(), **item.model_dump())
        elif item.revision > answer.revision:
            answer.answer, answer.revision, answer.saved_at = item.answer, item.revision, now()
        else:
            outcome = "superseded"
        db.add(answer)
        saved.append({"question_id": item.question_id, "outcome": outcome, "revision": item.revision})
    attempt.last_activity = now()
    db.add(attempt)
    db.commit()
    return {"saved": saved, "rejected": [], "server_time": now()}


@app.post(f"{PREFIX}/student/submit")
def submit(body: Submit, me: Me, db: Db) -> dict[str, Any]:
    attempt = _own(db, body.student_exam_id, me)
    answers = {
        one.question_id: one.answer
        for one in db.exec(select(Answer).where(Answer.attempt_id == attempt.id)).all()
    }
    questions = db.exec(select(Question).where(Question.exam_id == attempt.exam_id)).all()
    score = sum(one.points for one in questions if answers.get(one.id) == one.correct)
    attempt.status, attempt.score = "submitted", score
    db.add(attempt)
    db.commit()
    return {"success": True, "total_score": score, "grading": "complete"}
