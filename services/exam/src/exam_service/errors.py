"""The failures of this service in the contract's words."""

from collections.abc import Iterable, Sequence
from typing import Any

from examkit.errors import AppError, FieldError, conflict, invalid, not_found


def no_such_exam() -> AppError:
    return not_found("There is no such exam.")


def no_such_question() -> AppError:
    return not_found("There is no such question.")


def invalid_fields(errors: Sequence[FieldError]) -> AppError:
    """422, with everything that is wrong."""
    return invalid("Some fields are wrong: see errors.", *errors)


def published(fields: Iterable[str] = ()) -> AppError:
    """409: the paper is frozen, and what belongs to it with it."""
    names = sorted(fields)
    what = f"{', '.join(names)} can't be changed" if names else "This can't be done"
    return conflict("published", f"{what} once the exam is published.", fields=names)


def closed() -> AppError:
    return conflict("closed", "The exam is closed and can't be published again.")


def not_published() -> AppError:
    return conflict("not_published", "The exam isn't published.")


def not_publishable(reasons: Sequence[dict[str, Any]]) -> AppError:
    """409 with `reasons: [{code, detail, question_id?}]`."""
    return conflict("not_publishable", "The exam can't be published yet: see reasons.", reasons=list(reasons))


def in_use() -> AppError:
    return conflict("in_use", "A draft exam holds this question: take it out of the exam first.")
