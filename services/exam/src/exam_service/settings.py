"""The settings of exam, read once at start."""

from dataclasses import dataclass, field

from examkit.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    auth_target: str = field()
    grading_target: str = field()
    paper_cache_size: int = field(default=500, metadata={"minimum": 1})
    """How many papers a process remembers: some 100 KB each."""
    attempt_cache_size: int = field(default=200_000, metadata={"minimum": 1})
    """Of how many attempts a process remembers the exam: some 300 bytes each."""
    publication_poll_seconds: float = field(default=5.0, metadata={"minimum": 0.1})
    """How often interrupted publications are looked for."""
