"""The service's own metrics. No ids in labels."""

from prometheus_client import Counter, Gauge, Histogram

cached_papers = Gauge("examhall_exam_cached_papers", "Frozen papers that this process remembers")
questions_put = Counter(
    "examhall_exam_questions_put_total", "Question versions offered to the bank, by outcome", ("outcome",)
)
publications = Counter(
    "examhall_exam_publications_total", "Attempts at publishing an exam, by outcome", ("outcome",)
)

# Attempts.
active_attempts = Gauge(
    "examhall_exam_active_attempts", "Attempts in progress; every worker says the same: take the max"
)
starts = Counter("examhall_exam_starts_total", "Attempts started")
resumes = Counter("examhall_exam_resumes_total", "Attempts resumed")
closed = Counter("examhall_exam_closed_total", "Attempts closed, by what they became", ("status",))
saves = Counter("examhall_exam_saves_total", "Saves of an answer, by outcome", ("outcome",))
save_faults = Counter(
    "examhall_exam_save_faults_total", "Requests to save of which nothing was looked at, by reason", ("code",)
)
save_batch_size = Histogram(
    "examhall_exam_save_batch_answers",
    "Answers in one statement",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
integrity_events = Counter(
    "examhall_exam_integrity_events_total", "Integrity events kept, by kind", ("kind",)
)
sweeper_lag = Gauge(
    "examhall_exam_sweeper_lag_seconds", "How long the attempt that waits longest should have been closed"
)
announced_again = Counter("examhall_exam_announced_again_total", "Closed attempts sent to grading again")

# Files.
pictures = Counter(
    "examhall_exam_pictures_total", "Pictures that were sent, by what became of them", ("outcome",)
)
files_swept = Counter("examhall_exam_files_swept_total", "Files removed since nothing names them")
