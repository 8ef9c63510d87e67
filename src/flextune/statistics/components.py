"""Where the variance of a mean comes from: the problems that were posed, and the trainings that were made.

Every seed meets every problem, so a table of pass rates has two crossed factors. With ``s`` seeds and ``n``
problems the mean has variance ``var_problems / n + var_seeds / s + var_cells / (s n)``. The functions take
tables of shape ``(..., seeds, problems)``: leading axes are separate tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

CONFIDENCE = 0.95

#: Fewer trainings say too little about how trainings differ: nothing is claimed beyond these weights.
TRAININGS_FOR_A_METHOD = 3

#: Part of the noise of single cells that is taken off the spread of the seeds. All of it is in the problems'
#: component already; but where few seeds happen to agree, the spread left would be too small. With a quarter
#: the error of the interval is at most 5.0 % for 3 or more seeds, whatever their true spread
#: (``benchmarks.statistics``); with all of it, 9 % for 3 seeds.
CELL_NOISE_TAKEN_OFF = 0.25


@dataclass(frozen=True, slots=True)
class Component:
    """One source of variance of a mean.

    Attributes:
        variance: Of the mean, shape ``(...)``.
        freedom: Degrees of freedom that it was estimated with.
    """

    variance: Floats
    freedom: int


def of_problems(values: Floats, extra: float = 0.0) -> Component:
    """The problems' component, the cells' noise included.

    Args:
        values: A number for each problem, averaged over seeds, shape ``(..., problems)``; 2 problems or more.
        extra: Added to the sum of squared deviations: what problems that were not met may add.
    """
    count = values.shape[-1]
    squares = ((values - values.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1) + extra
    return Component(squares / (count * (count - 1)), count - 1)


def of_seeds(table: Floats) -> Component | None:
    """What trainings add to the problems' component; None with fewer than ``TRAININGS_FOR_A_METHOD``.

    Args:
        table: Shape ``(..., seeds, problems)``.
    """
    seeds, count = table.shape[-2:]
    if seeds < TRAININGS_FOR_A_METHOD or count < 2:
        return None
    means = table.mean(axis=-1, keepdims=True)
    spread = means.var(axis=-2, ddof=1)[..., 0] / seeds
    cells = table - means - table.mean(axis=-2, keepdims=True) + means.mean(axis=-2, keepdims=True)
    noise = (cells**2).sum(axis=(-2, -1)) / ((seeds - 1) * (count - 1)) / (seeds * count)
    return Component(np.maximum(spread - CELL_NOISE_TAKEN_OFF * noise, 0.0), seeds - 1)


def squared_reach(components: list[Component], level: float) -> Floats:
    """Square of an interval's half-width: each component with the quantile of its own degrees of freedom.

    ``sum of t(level, freedom)^2 variance``. Three seeds have 2 degrees of freedom and a quantile of 4.3,
    hundreds of problems one of 1.97. One quantile for both (Satterthwaite) would be too short wherever few
    seeds happen to agree; the sum is exact where one component is all there is, and cautious between.

    Args:
        components: Of one mean.
        level: Chance to lie outside, both sides together: 0.05.
    """
    total: Floats = np.zeros(())
    for component in components:
        # As stats.t.isf, which takes twenty times as long: a search for a p-value asks thousands of times.
        quantile = -float(special.stdtrit(component.freedom, level / 2))
        total = total + quantile**2 * component.variance
    return total
