"""The accounts of the demo data. They exist only where nobody but this machine can reach the gateway."""

ADMIN = "admin@example.com"
ADMIN_PASSWORD = "demo-admin-password"  # noqa: S105 - public on purpose
STUDENT_PASSWORD = "demo-student-password"  # noqa: S105 - public on purpose
STUDENTS = 100


def student(number: int) -> str:
    """The e-mail address of a demo student, 1 to 100."""
    return f"student{number:03d}@example.com"
