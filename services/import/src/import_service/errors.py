"""The errors of this service, as its callers see them."""

from examkit.errors import AppError, FieldError, conflict, invalid, not_found, too_large, unsupported

from import_service.domain.refusal import Fault, FileRefused


def no_such_job() -> AppError:
    return not_found("There is no such import.")


def no_failed_rows() -> AppError:
    return not_found(
        "No row of this import failed, or its failed rows were deleted: they are kept for 7 days."
    )


def file_too_large(most_bytes: int) -> AppError:
    return too_large(f"The file is larger than {most_bytes // 1024 // 1024} MiB: divide it.")


def not_a_workbook(refused: FileRefused) -> AppError:
    return unsupported(refused.detail)


def not_one_of(field: str, allowed: list[str]) -> AppError:
    sentence = f"{field} must be one of {', '.join(allowed)}."
    return invalid(sentence, FieldError((field,), sentence))


def question_invalid(faults: list[Fault]) -> AppError:
    return invalid(
        "The question is not complete.", *(FieldError(fault.place, fault.message) for fault in faults)
    )


def question_rejected(code: str, detail: str) -> AppError:
    """What exam answered for a question that it did not take."""
    if code == "not_found":
        return not_found(detail or "There is no such question.")
    if code == "invalid":
        return invalid(detail or "The question is not valid.")
    return conflict(code, detail)
