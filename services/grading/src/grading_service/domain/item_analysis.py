"""How a test and its questions did, in the terms of classical test theory."""

from collections.abc import Sequence


def cronbach_alpha(item_variances: Sequence[float], total_variance: float | None) -> float | None:
    """The internal consistency of questions whose sum is the total; None where it is undefined.

    Variances are over the same attempts, with the same divisor. That is so with fewer than two questions,
    fewer than two attempts, or where all have the same total.
    """
    count = len(item_variances)
    if count < 2 or not total_variance:
        return None
    return count / (count - 1) * (1 - sum(item_variances) / total_variance)
