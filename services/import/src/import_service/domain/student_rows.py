"""A row of a user workbook: a student to be, or what to change in which column."""

import re
from collections.abc import Mapping

import msgspec
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from import_service.domain.refusal import RowFault, has_bad_characters, shown

EMAIL_CHARACTERS = 320
NAME_CHARACTERS = 200
GROUP_CHARACTERS = 100
GROUPS_MOST = 50
PASSWORD_CHARACTERS = 1024

# Institutions do have addresses in their own network (name@school.local), and auth takes them.
if "local" in SPECIAL_USE_DOMAIN_NAMES:
    SPECIAL_USE_DOMAIN_NAMES.remove("local")

_DIVIDERS = re.compile(r"[,;|\n]")


class Student(msgspec.Struct, frozen=True, tag_field="item", tag="student"):
    """Whether the password is good enough is auth's to say; empty: the person gets a link to set one."""

    email: str
    name: str
    groups: tuple[str, ...]
    password: str

    def __repr__(self) -> str:
        return f"Student({self.email!r})"


def read_student(fields: Mapping[str, str]) -> Student | list[RowFault]:
    """The student of a row (trimmed texts by column), or everything that is wrong with it."""
    found = _email_faults(fields["email"])
    name = " ".join(fields["name"].split())
    if not name:
        found.append(RowFault("name", "missing", "The name is missing: write the person's name."))
    elif len(name) > NAME_CHARACTERS:
        found.append(RowFault("name", "too_long", f"The name may have at most {NAME_CHARACTERS} characters."))
    groups = tuple(
        dict.fromkeys(
            group for part in _DIVIDERS.split(fields["groups"]) if (group := " ".join(part.split()))
        )
    )
    if len(groups) > GROUPS_MOST:
        found.append(RowFault("groups", "too_many", f"A person may be in at most {GROUPS_MOST} groups."))
    if any(len(group) > GROUP_CHARACTERS for group in groups):
        message = f"A group's name may have at most {GROUP_CHARACTERS} characters."
        found.append(RowFault("groups", "too_long", message))
    if len(fields["password"]) > PASSWORD_CHARACTERS:
        message = f"The password may have at most {PASSWORD_CHARACTERS} characters."
        found.append(RowFault("password", "too_long", message))
    for column in ("name", "groups", "password"):
        if has_bad_characters(fields[column]):
            message = "The cell holds a character that can't be stored: type it anew."
            found.append(RowFault(column, "bad_characters", message))
    return found or Student(fields["email"], name, groups, fields["password"])


def email_key(email: str) -> str:
    """What makes two rows the same person."""
    return email.strip().casefold()


def _email_faults(email: str) -> list[RowFault]:
    if not email:
        return [RowFault("email", "missing", "The e-mail address is missing: write one.")]
    try:
        if len(email) > EMAIL_CHARACTERS:
            raise EmailNotValidError
        # As auth does it: whether mail arrives there is not asked.
        address = validate_email(email, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError):
        address = None
    if address is None or "." not in address.domain:
        message = f"“{shown(email)}” is not an e-mail address: write one such as name@example.com."
        return [RowFault("email", "not_an_email", message)]
    return []
