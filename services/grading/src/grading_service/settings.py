"""The settings of grading, read once at start."""

from dataclasses import dataclass, field

from examkit.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    auth_target: str = field()
    exam_target: str = field()
    grading_batch: int = field(default=100, metadata={"minimum": 1})
    """How many closed attempts are graded in one transaction at the most."""
