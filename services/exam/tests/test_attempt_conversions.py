"""What a batch of saves is told has a limit, and who is beyond it comes again."""

from datetime import UTC, datetime
from uuid import uuid4

from exam_service.domain.saving import SaveResult, StoredAnswer, Verdict
from exam_service.rpc.attempt_conversions import save_results


def superseded(size: int) -> SaveResult:
    kept = StoredAnswer(uuid4(), "x" * size, 7, datetime.now(UTC))
    return SaveResult(verdicts=[Verdict(str(kept.question_id), "superseded", 7, kept.saved_at, current=kept)])


def test_who_is_told_much_does_not_fail_the_others() -> None:
    told = save_results([superseded(10), superseded(900), superseded(200), superseded(10)], room=1000).results
    assert [one.fault.code for one in told] == ["", "", "unavailable", ""]
    assert told[2].fault.retry_after_seconds == 1.0
    assert [len(one.verdicts) for one in told] == [1, 1, 0, 1]
