"""A smooth surface through measured points, with what is not known about it: a Gaussian process.

Exact regression with a squared exponential kernel (Rasmussen and Williams 2006, algorithm 2.1). Each point
has a variance of its own, that of its pass rate. The mean, the size of the surface, a length for each axis,
and what the axes do not explain are those of the highest marginal likelihood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from flextune.statistics.components import Floats

#: Fewer points do not tell a length from noise.
FEWEST_POINTS = 6
#: Bounds of a length, in widths of its axis.
LENGTHS = (0.15, 10.0)
#: Bounds of the surface's and of the unexplained standard deviation, over that of the points.
SIZES, UNEXPLAINED = (0.05, 10.0), (1e-3, 2.0)
#: Where the search for the highest likelihood begins: lengths, and the unexplained part.
STARTS = ((0.3, 0.1), (1.0, 0.1), (1.0, 0.7), (4.0, 0.5))


@dataclass(frozen=True, slots=True)
class Response:
    """A fitted surface.

    Attributes:
        places: Of the points, shape ``(points, axes)``; each axis from 0 to 1.
        mean: Far from all points.
        size: Standard deviation of the surface around the mean.
        lengths: How far along each axis points tell about each other.
        unexplained: Standard deviation of a point around the surface beside its own noise.
    """

    places: Floats
    mean: float
    size: float
    lengths: tuple[float, ...]
    unexplained: float
    _factor: Floats
    _weights: Floats

    def at(self, places: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the surface.

        Args:
            places: Shape ``(..., axes)``.

        Returns:
            Shape ``(...)`` each.
        """
        shape = places.shape[:-1]
        between = _kernel(places.reshape(-1, places.shape[-1]), self.places, self.size, self.lengths)
        mean = self.mean + between @ self._weights
        solved = linalg.solve_triangular(self._factor, between.T, lower=True)
        variance = np.maximum(self.size**2 - (solved**2).sum(axis=0), 0.0)
        return mean.reshape(shape), np.sqrt(variance).reshape(shape)


def fit_response(places: Floats, values: Floats, variances: Floats) -> Response:
    """Fit a surface.

    Args:
        places: Shape ``(points, axes)``; each axis from 0 to 1.
        values: Shape ``(points,)``.
        variances: Of each value's own noise, same shape.

    Raises:
        ValueError: Fewer than ``FEWEST_POINTS`` points.
    """
    count, axes = places.shape
    if count < FEWEST_POINTS:
        raise ValueError(f"a surface takes {FEWEST_POINTS} points or more (given: {count})")
    scale = float(values.std()) or 1.0
    scaled, noise = (values - values.mean()) / scale, variances / scale**2

    def cost(logs: Floats) -> float:
        size, unexplained, *lengths = np.exp(logs)
        factor, centre, weights = _solved(places, scaled, noise, size, unexplained, tuple(lengths))
        return float(0.5 * (scaled - centre) @ weights + np.log(np.diag(factor)).sum())

    bounds = [tuple(map(math.log, pair)) for pair in (SIZES, UNEXPLAINED, *[LENGTHS] * axes)]
    found = [
        optimize.minimize(cost, np.log([1.0, part, *[length] * axes]), method="L-BFGS-B", bounds=bounds)
        for length, part in STARTS
    ]
    size, unexplained, *lengths = np.exp(min(found, key=lambda one: float(one.fun)).x).tolist()
    factor, centre, weights = _solved(places, scaled, noise, size, unexplained, tuple(lengths))
    return Response(
        places,
        float(values.mean() + scale * centre),
        size * scale,
        tuple(lengths),
        unexplained * scale,
        factor * scale,
        weights / scale,
    )


def _solved(
    places: Floats,
    values: Floats,
    noise: Floats,
    size: float,
    unexplained: float,
    lengths: tuple[float, ...],
) -> tuple[Floats, float, Floats]:
    """Cholesky factor of the points' covariance, the mean of the highest likelihood, and the weights."""
    covariance = _kernel(places, places, size, lengths)
    covariance[np.diag_indices_from(covariance)] += noise + unexplained**2 + 1e-9
    factor = linalg.cholesky(covariance, lower=True)
    ones = linalg.cho_solve((factor, True), np.ones(len(values)))
    centre = float(ones @ values / ones.sum())
    return factor, centre, linalg.cho_solve((factor, True), values - centre)


def _kernel(first: Floats, second: Floats, size: float, lengths: tuple[float, ...]) -> Floats:
    scaled = (first[:, None] - second[None]) / np.array(lengths)
    return np.asarray(size**2 * np.exp(-0.5 * (scaled**2).sum(axis=-1)))
