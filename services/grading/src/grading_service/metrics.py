"""What grading measures beside calls, deliveries and the outbox."""

from prometheus_client import Counter, Histogram

graded = Counter(
    "examhall_attempts_graded", "Closed attempts by outcome: submitted, expired, repeated", ["outcome"]
)
submit_to_grade = Histogram(
    "examhall_submit_to_grade_seconds",
    "From the closing of an attempt to its grade",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 3600),
)
withdrawn = Counter(
    "examhall_grades_withdrawn", "Grades taken back since their attempt was reopened or declared void"
)
marks = Counter("examhall_manual_marks", "Manual marks given")
regraded = Counter("examhall_regraded_attempts", "Grades that a regrade, or its rollback, changed")
