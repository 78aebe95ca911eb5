"""The errors of auth's own domain."""

from __future__ import annotations

from examkit.errors import AppError, FieldError, conflict, gone, invalid, rate_limited, unauthenticated


def invalid_credentials() -> AppError:
    """The same for an unknown e-mail, a wrong password and a deactivated account."""
    return unauthenticated("The e-mail or the password is wrong.", code="invalid_credentials")


def wrong_current_password() -> AppError:
    return unauthenticated("The current password is wrong.", code="invalid_credentials")


def too_many_failures(retry_after: float) -> AppError:
    return rate_limited("Too many failed attempts. Wait before you try again.", retry_after)


def session_over() -> AppError:
    return unauthenticated("The session has ended. Sign in again.")


def refresh_reused() -> AppError:
    return unauthenticated(
        "A refresh token was used twice, so the session was ended. Sign in again.", code="refresh_reused"
    )


def email_taken() -> AppError:
    return conflict("email_taken", "Another account has this e-mail address.")


def last_admin() -> AppError:
    return conflict("last_admin", "The last active administrator can't be deactivated or demoted.")


def not_yourself(field: str) -> AppError:
    message = "You can't demote or deactivate yourself. Ask another administrator."
    return invalid(message, FieldError((field,), message))


def link_expired() -> AppError:
    return gone("link_expired", "This link was used already, was replaced by a newer one, or has expired.")
