"""Messages as the services would answer, with every field that matters set."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from examprotos.auth.v1 import identity_pb2, user_admin_pb2, users_pb2
from examprotos.common.v1 import audit_pb2
from examprotos.exam.v1 import (
    attempts_pb2,
    authoring_pb2,
    exams_pb2,
    files_pb2,
    invigilation_pb2,
    questions_pb2,
)
from examprotos.grading.v1 import keys_pb2, marking_pb2, regrading_pb2, results_pb2, statistics_pb2
from examprotos.imports.v1 import content_pb2, imports_pb2
from google.protobuf.timestamp_pb2 import Timestamp

EXAM, ATTEMPT, QUESTION, VERSION, STUDENT, JOB, FILE = (
    str(uuid.UUID(int=number, version=4)) for number in range(1, 8)
)
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def at(minute: int = 0, micro: int = 0) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(NOON.replace(minute=minute, microsecond=micro))
    return stamp


def user(role: users_pb2.Role = users_pb2.ROLE_STUDENT) -> users_pb2.User:
    return users_pb2.User(
        id=STUDENT,
        email="ada@example.com",
        name="Ada",
        role=role,
        groups=["class-a"],
        active=True,
        created_at=at(),
        has_password=True,
    )


def session() -> identity_pb2.Session:
    return identity_pb2.Session(
        access_token="a.b.c", expires_in=1800, refresh_token="r1", refresh_expires_in=86400, user=user()
    )


def clock() -> attempts_pb2.Clock:
    return attempts_pb2.Clock(
        deadline=at(59),
        deadline_version=2,
        server_time=at(1),
        time_remaining_seconds=3480.5,
        deadline_reason="d",
    )


def saved(answer: bytes = b'"B"', revision: int = 7) -> attempts_pb2.SavedAnswer:
    return attempts_pb2.SavedAnswer(
        question_id=QUESTION, answer_json=answer, revision=revision, saved_at=at(1, 123456)
    )


def attempt() -> attempts_pb2.Attempt:
    question = attempts_pb2.AttemptQuestion(
        id=QUESTION,
        type=questions_pb2.QUESTION_TYPE_SINGLE_CHOICE,
        text="Which?",
        options=[questions_pb2.Option(id="A", text="this"), questions_pb2.Option(id="B", text="that")],
        points_hundredths=250,
        order=1,
    )
    exam = attempts_pb2.AttemptExam(
        id=EXAM,
        title="Biology",
        instructions="Go",
        duration_minutes=60,
        question_count=1,
        max_possible_hundredths=250,
    )
    return attempts_pb2.Attempt(
        student_exam_id=ATTEMPT,
        exam=exam,
        questions=[question],
        started_at=at(),
        clock=clock(),
        grace_seconds=30,
        saved_answers=[saved()],
        attempt_no=1,
    )


def my_exam() -> attempts_pb2.MyExam:
    return attempts_pb2.MyExam(
        id=EXAM,
        title="Biology",
        duration_minutes=60,
        start_time=at(),
        phase="open",
        question_count=1,
        max_possible_hundredths=250,
        max_attempts=1,
        my_status=attempts_pb2.MY_STATUS_NOT_STARTED,
    )


def verdicts(*outcomes: attempts_pb2.AnswerVerdict) -> attempts_pb2.AttemptSaveResult:
    return attempts_pb2.AttemptSaveResult(verdicts=outcomes, clock=clock())


def verdict(outcome: str = "stored", **more: object) -> attempts_pb2.AnswerVerdict:
    return attempts_pb2.AnswerVerdict(
        question_id=QUESTION,
        outcome=outcome,
        revision=7,
        saved_at=at(1),
        **more,  # type: ignore[arg-type]
    )


def store_all(request: attempts_pb2.SaveBatchRequest) -> attempts_pb2.SaveBatchResponse:
    """Every answer is stored."""
    results = []
    for save in request.saves:
        stored = [
            attempts_pb2.AnswerVerdict(
                question_id=answer.question_id, outcome="stored", revision=answer.revision, saved_at=at(1)
            )
            for answer in save.answers
        ]
        results.append(verdicts(*stored))
    return attempts_pb2.SaveBatchResponse(results=results)


def closed(**more: object) -> attempts_pb2.SubmitResponse:
    return attempts_pb2.SubmitResponse(
        student_exam_id=ATTEMPT,
        exam_id=EXAM,
        status="submitted",
        submitted_at=at(30),
        attempt_version=3,
        receipt=attempts_pb2.Receipt(answers_digest="ab" * 32, answer_count=1),
        max_possible_hundredths=250,
        question_count=1,
        **more,  # type: ignore[arg-type]
    )


def result(*, released: bool = True) -> results_pb2.StudentResult:
    item = results_pb2.StudentResultItem(
        question_id=QUESTION,
        status="graded",
        is_correct=True,
        score_hundredths=125,
        max_score_hundredths=250,
        answer_json=b'"B"',
    )
    return results_pb2.StudentResult(
        student_exam_id=ATTEMPT,
        exam_id=EXAM,
        exam_title="Biology",
        attempt_no=1,
        status="submitted",
        submitted_at=at(30),
        released=released,
        total_score_hundredths=125 if released else None,
        max_possible_hundredths=250,
        percentage_hundredths=5000 if released else None,
        graded_count=1,
        grading="complete",
        items=[item] if released else [],
        changes=[score_change()],
    )


def score_change() -> results_pb2.ScoreChange:
    return results_pb2.ScoreChange(
        question_id=QUESTION, policy="rekey", reason="B is right.", at=at(40), score_after_hundredths=125
    )


def question(number: int = 1) -> questions_pb2.Question:
    return questions_pb2.Question(
        id=QUESTION,
        version=number,
        version_id=VERSION,
        content=questions_pb2.QuestionContent(
            type=questions_pb2.QUESTION_TYPE_NUMERIC,
            text="How fast?",
            points_hundredths=150,
            category="physics",
            tags=["t1"],
            external_id="q-1",
        ),
        created_at=at(),
        updated_at=at(1),
    )


def keys() -> keys_pb2.GetKeysResponse:
    key = keys_pb2.AnswerKey(
        numeric=keys_pb2.NumericKey(value="9.81", tolerance="0.01"), explanation="Because of gravity."
    )
    return keys_pb2.GetKeysResponse(items=[keys_pb2.VersionKey(version_id=VERSION, key=key)])


def regrade() -> regrading_pb2.Regrade:
    return regrading_pb2.Regrade(
        id=JOB,
        exam_id=EXAM,
        question_id=QUESTION,
        version=1,
        policy="rekey",
        key=keys_pb2.AnswerKey(numeric=keys_pb2.NumericKey(value="9.8", tolerance="0.1")),
        reason="Rounding.",
        actor_id=STUDENT,
        at=at(40),
        applied=True,
        changed=1,
        raised=1,
    )


def regrade_report() -> regrading_pb2.RegradeReport:
    before, after = (
        regrading_pb2.Standing(
            total_score_hundredths=score, max_possible_hundredths=300, percentage_hundredths=share
        )
        for score, share in ((0, 0), (150, 5000))
    )
    difference = regrading_pb2.Difference(
        student_exam_id=ATTEMPT, student_id=STUDENT, attempt_no=1, before=before, after=after
    )
    return regrading_pb2.RegradeReport(regrade=regrade(), items=[difference])


def statistics() -> statistics_pb2.ExamStatistics:
    question = statistics_pb2.QuestionStatistics(
        question_id=QUESTION,
        type="single_choice",
        order=1,
        max_score_hundredths=300,
        status="graded",
        answered=3,
        graded=4,
        mean_hundredths=133.333,
        difficulty=0.444443,
        discrimination=-0.123456,
        answers=[
            statistics_pb2.AnswerCount(answer=letter, times=times) for letter, times in (("A", 3), ("B", 0))
        ],
    )
    typed = statistics_pb2.QuestionStatistics(
        question_id=QUESTION,
        type="short_text",
        order=2,
        max_score_hundredths=100,
        status="pending",
        answers=[statistics_pb2.AnswerCount(answer="Ada", times=2)],
    )
    return statistics_pb2.ExamStatistics(
        attempts=4,
        pending=1,
        max_possible_hundredths=400,
        mean_hundredths=133.333,
        median_hundredths=150,
        lowest_hundredths=0,
        highest_hundredths=400,
        mean_percentage_hundredths=3333.3,
        tenths=[1, 0, 0, 0, 1, 0, 0, 0, 0, 1],
        questions=[question, typed],
    )


def exam(status: exams_pb2.ExamStatus = exams_pb2.EXAM_STATUS_DRAFT) -> exams_pb2.Exam:
    settings = exams_pb2.ExamSettings(
        title="Biology",
        duration_minutes=60,
        grace_seconds=30,
        max_attempts=1,
        shuffle_options=True,
        scoring=exams_pb2.Scoring(multi_choice=exams_pb2.MULTI_CHOICE_SCORING_PARTIAL, wrong_penalty="0.25"),
        result_policy=exams_pb2.RESULT_POLICY_IMMEDIATE,
        reveal=exams_pb2.REVEAL_CORRECTNESS,
        access_code="room-7",
    )
    return exams_pb2.Exam(
        id=EXAM,
        status=status,
        settings=settings,
        roster=exams_pb2.Roster(all=True),
        questions=[exams_pb2.ExamQuestion(question_id=QUESTION, points_hundredths=300)],
        question_count=1,
        max_possible_hundredths=300,
        created_at=at(),
        updated_at=at(),
    )


def summary(status: str = "submitted") -> invigilation_pb2.AttemptSummary:
    return invigilation_pb2.AttemptSummary(
        student_exam_id=ATTEMPT,
        student_id=STUDENT,
        exam_id=EXAM,
        attempt_no=1,
        status=status,
        started_at=at(),
        closed_at=at(30),
        question_count=1,
        version=2,
        deadline=at(59),
        deadline_version=1,
        last_activity=at(30),
        server_time=at(40),
    )


def full_result() -> marking_pb2.FullResult:
    item = marking_pb2.FullResultItem(
        question_id=QUESTION,
        status="graded",
        score_hundredths=125,
        max_score_hundredths=250,
        answer_json=b'"B"',
        comment="good",
        marked_by=STUDENT,
        version=2,
        criteria=[marking_pb2.Criterion(name="Names the law", points_hundredths=125)],
    )
    return marking_pb2.FullResult(
        student_exam_id=ATTEMPT,
        student_id=STUDENT,
        exam_id=EXAM,
        attempt_no=1,
        status="submitted",
        submitted_at=at(30),
        total_score_hundredths=125,
        max_possible_hundredths=250,
        percentage_hundredths=5000,
        graded_count=1,
        grading="complete",
        graded_at=at(31),
        items=[item],
    )


def job(status: str = "running") -> imports_pb2.Job:
    return imports_pb2.Job(
        id=JOB,
        kind="questions",
        filename="q.xlsx",
        on_error="reject_file",
        status=status,
        total_rows=10,
        processed_rows=5,
        errors=[imports_pb2.RowError(row=3, column="correct", code="unknown_option", message="Name A to D.")],
        error_count=1,
        created_at=at(),
        created_by=STUDENT,
    )


def failed_rows() -> imports_pb2.ListFailedRowsResponse:
    cells = [
        imports_pb2.Cell(column="question", text="2 + 2?"),
        imports_pb2.Cell(column="correct", text="F"),
    ]
    row = imports_pb2.FailedRow(row=3, cells=cells, errors=job().errors)
    return imports_pb2.ListFailedRowsResponse(items=[row], next_cursor="on")


def accommodation() -> invigilation_pb2.Accommodation:
    return invigilation_pb2.Accommodation(student_id=STUDENT, extra_time_percent=25, updated_at=at())


def everything() -> dict[str, object]:
    """An answer for every method."""
    named = user_admin_pb2.BatchGetUsersResponse(items=[user()])
    queue_item = marking_pb2.QueueItem(
        student_exam_id=ATTEMPT,
        student_id=STUDENT,
        exam_id=EXAM,
        question_id=QUESTION,
        answer_json=b'"because"',
        max_score_hundredths=250,
        submitted_at=at(),
        order=1,
        version=2,
        claim=marking_pb2.Claim(marker_id=STUDENT, until=at(15)),
    )
    waiting = marking_pb2.WaitingQuestion(exam_id=EXAM, question_id=QUESTION, order=1, waiting=1)
    queue = marking_pb2.ListQueueResponse(items=[queue_item], total=1, questions=[waiting])
    entry = audit_pb2.Entry(
        id=JOB, at=at(), actor_kind="service", action="a.b", object_type="a", object_id="1"
    )
    workbook = imports_pb2.Workbook(filename="a.xlsx", data=b"PK")

    async def jobs() -> object:
        yield job("completed")

    found = {
        "Identity/Login": session(),
        "Identity/Refresh": session(),
        "Identity/Logout": identity_pb2.LogoutResponse(),
        "Identity/GetMe": user(),
        "Identity/ChangePassword": session(),
        "Identity/SetPassword": identity_pb2.SetPasswordResponse(),
        "UserAdmin/ListUsers": user_admin_pb2.ListUsersResponse(items=[user()]),
        "UserAdmin/GetUser": user(),
        "UserAdmin/CreateUser": user(),
        "UserAdmin/UpdateUser": user(),
        "UserAdmin/BatchGetUsers": named,
        "UserAdmin/CreatePasswordLink": user_admin_pb2.PasswordLink(token="t", expires_at=at()),
        "AuditLog/List": audit_pb2.ListResponse(items=[entry]),
        "Attempts/ListMyExams": attempts_pb2.ListMyExamsResponse(items=[my_exam()]),
        "Attempts/Start": attempt(),
        "Attempts/Resume": attempt(),
        "Attempts/SaveBatch": store_all,
        "Attempts/Submit": closed(),
        "Attempts/GetClosedPaper": attempts_pb2.ClosedPaper(questions=attempt().questions),
        "Attempts/RecordEvents": attempts_pb2.RecordEventsResponse(),
        "AnswerFiles/AddAnswerFile": files_pb2.AddFileResponse(file_id=FILE),
        "QuestionFiles/AddQuestionFile": files_pb2.AddFileResponse(file_id=FILE),
        "Files/GetFile": files_pb2.File(media_type="image/png", data=b"\x89PNG"),
        "Authoring/ListQuestions": authoring_pb2.ListQuestionsResponse(items=[question()]),
        "Authoring/GetQuestion": question(),
        "Authoring/ArchiveQuestion": authoring_pb2.ArchiveQuestionResponse(),
        "Authoring/ListExams": authoring_pb2.ListExamsResponse(items=[exam()]),
        "Authoring/DeleteExam": authoring_pb2.DeleteExamResponse(),
        "Invigilation/GetAccommodation": accommodation(),
        "Invigilation/PutAccommodation": accommodation(),
        "Invigilation/DeleteAccommodation": invigilation_pb2.DeleteAccommodationResponse(),
        "Invigilation/ListAttempts": invigilation_pb2.ListAttemptsResponse(items=[summary()]),
        "AnswerKeys/GetKeys": keys(),
        "Results/Await": result(),
        "Results/ListMyResults": results_pb2.ListMyResultsResponse(items=[result()]),
        "Results/GetMyResult": result(),
        "Marking/ListQueue": queue,
        "Marking/ClaimNext": queue,
        "Marking/ClaimAnswer": marking_pb2.Claim(marker_id=STUDENT, until=at(15)),
        "Marking/ReleaseAnswer": marking_pb2.ReleaseAnswerResponse(),
        "Marking/PutMarks": lambda request: marking_pb2.PutMarksResponse(
            verdicts=[marking_pb2.MarkVerdict(version=1) for _ in request.marks]
        ),
        "Marking/PutMark": full_result(),
        "Marking/BatchGetResults": marking_pb2.BatchGetResultsResponse(items=[full_result()]),
        "Regrading/Regrade": regrade_report(),
        "Regrading/PreviewRegrade": regrade_report(),
        "Regrading/RollBack": regrade_report(),
        "Regrading/GetRegrade": regrade_report(),
        "Regrading/ListRegrades": regrading_pb2.ListRegradesResponse(items=[regrade()]),
        "Statistics/GetStatistics": statistics(),
        "Marking/ReleaseResults": marking_pb2.ReleaseResultsResponse(released_at=at()),
        "Imports/CreateJob": job("queued"),
        "Imports/GetJob": job(),
        "Imports/ListJobs": imports_pb2.ListJobsResponse(items=[job()]),
        "Imports/WatchJob": lambda _: jobs(),
        "Imports/ListFailedRows": failed_rows(),
        "Imports/GetErrorWorkbook": workbook,
        "Imports/GetTemplate": workbook,
        "Content/PutQuestion": content_pb2.PutQuestionResponse(
            question_id=QUESTION, version=1, version_id=VERSION
        ),
    }
    building = (
        "GetExam",
        "CreateExam",
        "UpdateExam",
        "SetExamQuestions",
        "SetRoster",
        "PublishExam",
        "CloseExam",
        "CloneExam",
    )
    published = exam(exams_pb2.EXAM_STATUS_PUBLISHED)
    return found | {f"Authoring/{method}": published for method in building}
