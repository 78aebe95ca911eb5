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
active_attempts = Gauge("examhall_exam_active_attempts", "Attempts in progress; take the max over processes")
starts = Counter("examhall_exam_starts_total", "Attempts started")
resumes = Counter("examhall_exam_resumes_total", "Attempts resumed")
resume_gap = Histogram(
    "examhall_exam_resume_gap_seconds",
    "At a resume, the time since the attempt's last sign of life: a minute or more is a recovery",
    buckets=(5, 15, 30, 60, 120, 300, 900, 3600),
)
closed = Counter("examhall_exam_closed_total", "Attempts closed, by what they became", ("status",))
duration = Histogram(
    "examhall_exam_attempt_duration_seconds",
    "From the start of an attempt to its closing, by what it became",
    ("status",),
    buckets=(60, 300, 600, 900, 1800, 2700, 3600, 5400, 7200, 10800, 14400),
)
interventions = Counter(
    "examhall_exam_interventions_total", "Attempts that staff changed, by what they did", ("action",)
)
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
    "examhall_exam_sweeper_lag_seconds",
    "How long ago the attempt that waits longest should have been closed; take the max over processes",
)
ungraded = Gauge(
    "examhall_exam_ungraded_attempts",
    "Closed attempts of which no grade is known; take the max over processes",
)
oldest_ungraded = Gauge(
    "examhall_exam_oldest_ungraded_seconds",
    "How long the oldest of them has been closed, 0 without any; take the max over processes",
)
announced_again = Counter("examhall_exam_announced_again_total", "Closed attempts sent to grading again")

# Files.
pictures = Counter(
    "examhall_exam_pictures_total", "Pictures that were sent, by what became of them", ("outcome",)
)
files_swept = Counter("examhall_exam_files_swept_total", "Files removed since nothing names them")
