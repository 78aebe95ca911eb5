"""The settings of exam, read once at start."""

from dataclasses import dataclass, field

from examkit.settings import ServiceSettings

from exam_service.file_store import url_problem


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    auth_target: str = field()
    grading_target: str = field()
    files_url: str = field()
    """Where pictures lie: file:///folder, or s3://bucket/prefix with AWS_* in the environment."""
    paper_cache_size: int = field(default=500, metadata={"minimum": 1})
    """How many papers a process remembers: some 100 KB each."""
    attempt_cache_size: int = field(default=200_000, metadata={"minimum": 1})
    """Of how many attempts a process remembers the exam: some 300 bytes each."""
    publication_poll_seconds: float = field(default=5.0, metadata={"minimum": 0.1})
    """How often interrupted publications are looked for."""

    def __post_init__(self) -> None:
        """Raises ValueError."""
        problem = url_problem(self.files_url)
        if problem:
            raise ValueError(f"FILES_URL {problem}, not {self.files_url!r}")
