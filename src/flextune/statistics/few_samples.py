"""pass@k from fewer samples than k: bounds that hold whatever the problems' chances are.

A problem of chance p is passed within k draws with ``1 - (1 - p)^k``, which rises with k and bends down
everywhere. So pass@k is at least pass@n, and at most what the last step, from pass@(n-1) to pass@n, gives
when it is repeated ``k - n`` times. That step is ``1 / n`` for a problem with exactly one pass and 0 for
others: Good's estimate of what was not seen (Good 1953, Biometrika 40:237).
"""

from __future__ import annotations

import math

import numpy as np

from flextune.records import Estimate
from flextune.statistics.components import CONFIDENCE, Component, of_problems, of_seeds, squared_reach
from flextune.statistics.intervals import interval
from flextune.statistics.tally import Tally

#: With one sample the last step is the first: the upper end is ``k`` times pass@1, and says nothing.
FEWEST_SAMPLES = 2


def bounded(counts: Tally, k: int) -> Estimate | None:
    """pass@k without a point estimate, and the bounds' outer ends; None where they say nothing.

    The lower end is that of pass@n's 95 % interval; the upper is that of the extrapolated mean, one problem
    more with a single pass added to its spread.

    Args:
        counts: With fewer than k samples of some problem.
        k: Draws.
    """
    if not counts.problems or counts.draws_allowed() < FEWEST_SAMPLES:
        return None
    samples = int(counts.draws_allowed())
    seen = counts.rates(samples)
    last_step = seen - counts.rates(samples - 1)
    reached = seen + (k - samples) * last_step
    ends, _ = interval(seen, counts.single_run)
    components: list[Component] = []
    if len(counts.problems) > 1:
        components.append(of_problems(reached.mean(axis=0), extra=(k / samples) ** 2))
        seeds = of_seeds(reached)
        components += [] if seeds is None else [seeds]
    if ends is None or not components:
        return None
    high = max(ends[1], float(reached.mean() + np.sqrt(squared_reach(components, 1 - CONFIDENCE))))
    if high >= 1:
        return None
    name = f"bounds from {samples} samples"
    return Estimate(f"pass@{k}", math.nan, ends[0], high, name, len(counts.problems))
