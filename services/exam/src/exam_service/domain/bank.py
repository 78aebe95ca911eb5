"""What a batch of new content does to the question bank: decided here, in order, without a database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from exam_service.domain.question import QuestionContent, content_problem


@dataclass(frozen=True, kw_only=True)
class BankEntry:
    """A question of the bank as it stands. `external_id` is empty for none."""

    question_id: UUID
    version: int
    version_id: UUID
    external_id: str = ""
    archived: bool = False


@dataclass(frozen=True, kw_only=True)
class PutItem:
    """One piece of content offered. `question_id` None: by external id where that is known, else a new one.

    `expected_version` 0: not checked. `fallback_id`: the id of the question if it turns out to be a new one;
    `must_be_new`: it is refused rather than stored as a version of the question that has its external id.
    """

    version_id: UUID
    content: QuestionContent
    question_id: UUID | None = None
    expected_version: int = 0
    fallback_id: UUID
    must_be_new: bool = False


@dataclass(frozen=True)
class Outcome:
    """`kind`: created · updated · repeated · rejected; a rejected one has a code and a sentence."""

    kind: str
    question_id: UUID | None = None
    version: int = 0
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class NewVersion:
    """A version to be written, with the entry it replaces (None for a new question)."""

    entry: BankEntry
    content: QuestionContent
    before: BankEntry | None


@dataclass(frozen=True)
class Plan:
    """One outcome for each item, in their order; `versions` in the order of writing."""

    outcomes: tuple[Outcome, ...]
    versions: tuple[NewVersion, ...]


class _Bank:
    """The part of the bank that a batch speaks of, as it changes from item to item."""

    def __init__(
        self,
        entries: Iterable[BankEntry],
        versions: Mapping[UUID, tuple[UUID, int]],
        files: Collection[UUID],
    ) -> None:
        self.files = files
        self.by_id = {entry.question_id: entry for entry in entries}
        self.by_external_id = {
            entry.external_id: entry.question_id
            for entry in self.by_id.values()
            if entry.external_id and not entry.archived
        }
        self.versions = dict(versions)

    def put(self, entry: BankEntry) -> None:
        before = self.by_id.get(entry.question_id)
        if before is not None and before.external_id:
            self.by_external_id.pop(before.external_id, None)
        self.by_id[entry.question_id] = entry
        if entry.external_id:
            self.by_external_id[entry.external_id] = entry.question_id
        self.versions[entry.version_id] = (entry.question_id, entry.version)


def plan(
    items: Sequence[PutItem],
    entries: Iterable[BankEntry],
    versions: Mapping[UUID, tuple[UUID, int]],
    files: Collection[UUID] = (),
) -> Plan:
    """Apply the items one after the other; each sees what those before it did.

    `entries`: every question that an item may touch, by id or by external id; `versions`: of the items'
    version ids those that are known, with the question and the version they were stored as; `files`: of the
    pictures that the items name those that were uploaded.
    """
    bank = _Bank(entries, versions, files)
    outcomes: list[Outcome] = []
    written: list[NewVersion] = []
    for item in items:
        outcome = _decide(bank, item)
        outcomes.append(outcome)
        if outcome.kind in {"created", "updated"} and outcome.question_id is not None:
            before = bank.by_id.get(outcome.question_id)
            entry = BankEntry(
                question_id=outcome.question_id,
                version=outcome.version,
                version_id=item.version_id,
                external_id=item.content.external_id,
            )
            bank.put(entry)
            written.append(NewVersion(entry, item.content, before))
    return Plan(tuple(outcomes), tuple(written))


def final_entries(versions: Sequence[NewVersion]) -> tuple[NewVersion, ...]:
    """Of each question the last of its versions, with the entry from before the batch."""
    last: dict[UUID, NewVersion] = {}
    for version in versions:
        first = last.pop(version.entry.question_id, None)
        last[version.entry.question_id] = version if first is None else replace(version, before=first.before)
    return tuple(last.values())


def _decide(bank: _Bank, item: PutItem) -> Outcome:
    known = bank.versions.get(item.version_id)
    if known is not None:
        return Outcome("repeated", *known)
    problem = content_problem(item.content)
    if problem is not None:
        return _rejected("invalid", problem)
    missing = [file_id for file_id in item.content.files if file_id not in bank.files]
    if missing:
        return _rejected("invalid", f"There is no picture {missing[0]}: upload it first.")
    holder = bank.by_external_id.get(item.content.external_id)
    if item.question_id is None and holder is None:
        if item.fallback_id in bank.by_id:
            return _rejected("invalid", "A question with the id chosen for the new one exists already.")
        return Outcome("created", item.fallback_id, 1)
    if item.must_be_new:
        return _rejected("external_id_taken", "Another question has this external_id.")
    target = item.question_id or holder
    entry = None if target is None else bank.by_id.get(target)
    if entry is None or entry.archived:
        return _rejected("not_found", "There is no such question.")
    if item.question_id is not None and item.expected_version not in {0, entry.version}:
        return _rejected(
            "stale_version",
            f"Version {item.expected_version} was edited, and version {entry.version} is current by now.",
        )
    if holder not in {None, entry.question_id}:
        return _rejected("external_id_taken", "Another question has this external_id.")
    return Outcome("updated", entry.question_id, entry.version + 1)


def _rejected(code: str, detail: str) -> Outcome:
    return Outcome("rejected", code=code, detail=detail)
