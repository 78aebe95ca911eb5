"""What would become of the rows of a file, gathered chunk by chunk."""

from collections import Counter
from collections.abc import Sequence

from import_service.domain.question import Question
from import_service.domain.refusal import RowFault
from import_service.parser.frames import Good
from import_service.usecases.storing import Verdict


class Foresight:
    """`outcomes`: how many rows would be `imported` and `updated`; `refused`: the others, by row."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.refused: dict[int, RowFault] = {}
        self._external_ids: set[str] = set()

    def add(self, rows: Sequence[Good], verdicts: Sequence[Verdict]) -> None:
        """Verdicts on the next chunk, given as if no chunk before it had been stored."""
        for row, verdict in zip(rows, verdicts, strict=True):
            if verdict.fault:
                self.refused[row.row] = verdict.fault
                continue
            external_id = row.item.external_id if isinstance(row.item, Question) else ""
            # What an earlier row would have created is updated by this one.
            self.outcomes["updated" if external_id in self._external_ids else verdict.outcome] += 1
            if external_id:
                self._external_ids.add(external_id)
