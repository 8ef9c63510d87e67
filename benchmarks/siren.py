"""SIREN (arXiv:2605.05973), written from its description, to be compared with what flextune does.

Repeated splits; on one part configurations get softmax weights by their means, on the other the weighted mean
is the report. The interval is a Gaussian multiplier bootstrap over problems of the first-order contributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: As in its paper: splits, share that chooses, softmax temperature, bootstrap draws.
SPLITS, SHARE, TEMPERATURE, DRAWS = 5, 0.5, 0.1, 500


@dataclass(frozen=True, slots=True)
class Siren:
    """Its report.

    Attributes:
        value: The estimate.
        low: Lower end of the 95 % interval.
        high: Upper end.
        weights: Of the configurations, mean over splits: what the estimate is about.
    """

    value: float
    low: float
    high: float
    weights: Floats


def siren(
    values: Floats,
    rng: np.random.Generator,
    *,
    shortlist: int | None = None,
    temperature: float = TEMPERATURE,
) -> Siren:
    """Estimate what the procedure "choose by softmax" gets.

    Args:
        values: Of each configuration and problem, shape ``(configurations, problems)``.
        rng: Draws splits and multipliers.
        shortlist: So many configurations with the highest means over all problems take part; None: all.
        temperature: Of the softmax.
    """
    total = values.mean(axis=1)
    kept = np.argsort(-total, kind="stable")[:shortlist]
    table = values[kept]
    count = table.shape[1]
    chosen_by = int(count * SHARE)
    contributions, estimates, weights = np.zeros(count), [], np.zeros(len(kept))
    for _ in range(SPLITS):
        order = rng.permutation(count)
        dev, held = order[:chosen_by], order[chosen_by:]
        dev_means, held_means = table[:, dev].mean(axis=1), table[:, held].mean(axis=1)
        soft = np.exp((dev_means - dev_means.max()) / temperature)
        soft /= soft.sum()
        value = float(soft @ held_means)
        estimates.append(value)
        weights += soft / SPLITS
        contributions[held] += count / len(held) * (soft @ (table[:, held] - held_means[:, None])) / SPLITS
        # How the weights move with the means of the part that chooses: (diag(q) - q q^T) / temperature.
        slope = soft * (held_means - value) / temperature
        contributions[dev] += count / len(dev) * (slope @ (table[:, dev] - dev_means[:, None])) / SPLITS
    estimate = float(np.mean(estimates))
    errors = np.abs(rng.normal(size=(DRAWS, count)) @ contributions) / count
    reach = float(np.quantile(errors, 0.95))
    everyone = np.zeros(len(values))
    everyone[kept] = weights
    return Siren(estimate, estimate - reach, estimate + reach, everyone)
