"""The unbiased pass@k estimator."""

from __future__ import annotations

import math

#: The draws that are reported where the samples allow them.
DRAWS: tuple[int, ...] = (1, 10, 100)


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Probability that at least one of ``k`` samples, drawn without replacement, passes.

    ``1 - C(n - c, k) / C(n, k)`` (arXiv:2107.03374, section 2.1), in exact integer arithmetic up to
    the last division.

    Args:
        samples: Samples judged, ``n``.
        correct: Samples that passed, ``c``.
        k: Samples drawn.

    Returns:
        A probability; nan when there are fewer samples than draws: undefined, not 0.

    Raises:
        ValueError: If a count is negative, ``correct`` exceeds ``samples``, or ``k`` is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if not 0 <= correct <= samples:
        raise ValueError(f"correct must lie in 0..{samples}, not {correct}")
    if samples < k:
        return math.nan
    total = math.comb(samples, k)
    return (total - math.comb(samples - correct, k)) / total
