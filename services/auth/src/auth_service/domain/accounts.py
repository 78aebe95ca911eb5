"""People and what may be said of them: e-mail addresses, names, groups, passwords."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

NAME_CHARACTERS = 200
GROUP_CHARACTERS = 100
GROUPS_MOST = 50
GROUPS_BYTES = 2000
"""Groups travel in each access token, whose size is bounded."""
PASSWORD_CHARACTERS = 10
PASSWORD_BYTES = 1024
_EMAIL_CHARACTERS = 320

# Institutions have addresses in their own network (ada@school.local); the library's way to allow them.
if "local" in SPECIAL_USE_DOMAIN_NAMES:
    SPECIAL_USE_DOMAIN_NAMES.remove("local")


class RuleError(ValueError):
    """A value that a rule refuses; the message tells a person what to change."""


class Role(StrEnum):
    """What a person may do. The values are those in access tokens."""

    ADMIN = "admin"
    STUDENT = "student"
    MARKER = "marker"
    INVIGILATOR = "invigilator"


@dataclass(frozen=True)
class User:
    """A person with an account. `token_version` grows whenever older access tokens must end."""

    id: UUID
    email: str
    name: str
    role: Role
    groups: tuple[str, ...]
    active: bool
    token_version: int
    created_at: datetime
    has_password: bool

    @property
    def is_active_admin(self) -> bool:
        return self.active and self.role is Role.ADMIN


def clean_email(text: str) -> str:
    """The address in its normal form. Whether mail arrives there is not asked: no DNS.

    Raises RuleError.
    """
    if len(text) > _EMAIL_CHARACTERS:
        raise RuleError("This e-mail address is too long.")
    try:
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError):
        raise RuleError("This is not an e-mail address, such as name@example.com.") from None
    if "." not in address.domain:  # the bare domain `test`
        raise RuleError("This is not an e-mail address, such as name@example.com.")
    return address.normalized


def email_key(normalized: str) -> str:
    """What makes an address unique: the same in any case."""
    return normalized.casefold()


def lookup_key(text: str) -> str | None:
    """The key under which the account of a typed address is found; None for what can't be an address."""
    try:
        return email_key(clean_email(text))
    except RuleError:
        return None


def clean_name(text: str) -> str:
    """A person's name: trimmed, spaces folded, composed (NFC). Raises RuleError."""
    name = _line(text, "The name")
    if not name:
        raise RuleError("The name is missing.")
    if len(name) > NAME_CHARACTERS:
        raise RuleError(f"The name is longer than {NAME_CHARACTERS} characters.")
    return name


def clean_groups(names: Iterable[str]) -> tuple[str, ...]:
    """Group names, trimmed, without repeats, sorted; empty ones fall away. Raises RuleError."""
    groups = sorted({group for group in (_line(name, "A group's name") for name in names) if group})
    if any(len(group) > GROUP_CHARACTERS for group in groups):
        raise RuleError(f"A group's name is longer than {GROUP_CHARACTERS} characters.")
    if len(groups) > GROUPS_MOST or sum(len(group.encode()) for group in groups) > GROUPS_BYTES:
        raise RuleError(f"These are too many groups: at most {GROUPS_MOST}, {GROUPS_BYTES} bytes in all.")
    return tuple(groups)


def check_password(password: str, email: str) -> str:
    """The password, unchanged, if it may be one. Raises RuleError."""
    if len(password) < PASSWORD_CHARACTERS:
        raise RuleError(f"The password needs at least {PASSWORD_CHARACTERS} characters.")
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        raise RuleError("The password holds a character that can't be used.") from None
    if size > PASSWORD_BYTES:
        raise RuleError(f"The password is longer than {PASSWORD_BYTES} bytes.")
    if "\0" in password:
        raise RuleError("The password holds a character that can't be used.")
    if password.strip().casefold() == email_key(email):
        raise RuleError("The password must not be the e-mail address.")
    return password


def _line(text: str, what: str) -> str:
    """One line of text; control characters, NUL and lone surrogates are refused."""
    folded = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in folded):
        raise RuleError(f"{what} holds a character that can't be used.")
    return folded
