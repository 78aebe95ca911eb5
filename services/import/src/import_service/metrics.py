"""What is counted: jobs, rows, the parser, and waiting for others."""

from prometheus_client import Counter, Gauge, Histogram

jobs_ended = Counter("examhall_import_jobs", "Import jobs that ended", ("kind", "outcome"))
rows = Counter("examhall_import_rows", "Rows of import jobs by what became of them", ("kind", "outcome"))
parse_seconds = Histogram(
    "examhall_import_parse_seconds",
    "Time to read and judge a workbook",
    ("format",),
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
job_seconds = Histogram(
    "examhall_import_job_seconds",
    "Time from the upload to the end of a job",
    ("kind",),
    buckets=(0.5, 1, 2.5, 5, 10, 20, 60, 300, 1800),
)
parser_kills = Counter(
    "examhall_import_parser_kills", "Parsers that went beyond a limit or crashed", ("reason",)
)
deferrals = Counter("examhall_import_deferrals", "Jobs put off since a service they need was away", ("kind",))
running = Gauge("examhall_import_jobs_running", "Jobs that this process works on")
