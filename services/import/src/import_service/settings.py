"""What the import service is told by its environment."""

from dataclasses import dataclass, field

from examkit.settings import ServiceSettings

from import_service.parser.limits import Limits


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """It needs auth, exam and grading."""

    auth_target: str = field()
    exam_target: str = field()
    grading_target: str = field()
    parser_memory_mb: int = field(default=768, metadata={"minimum": 128})
    parser_cpu_seconds: int = field(default=60, metadata={"minimum": 1})
    lease_seconds: float = field(default=30.0, metadata={"minimum": 1.0})
    """After this long without a sign of life another process takes a job up."""

    @property
    def parser_limits(self) -> Limits:
        return Limits(
            memory_bytes=self.parser_memory_mb * 1024 * 1024,
            cpu_seconds=self.parser_cpu_seconds,
            wall_seconds=2 * self.parser_cpu_seconds,
        )
