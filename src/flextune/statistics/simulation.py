"""Experiments that are drawn instead of run, and decided by the same rule: how often is what said?

Problems differ in their ease (normal on the logit scale), trainings shift all problems together, and each arm
may suit other problems. The mean pass rate of every arm is what was asked for, whatever the spreads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from flextune.statistics.components import TRAININGS_FOR_A_METHOD, Floats
from flextune.statistics.decision import MARGIN, SIGNIFICANT
from flextune.statistics.exchange import Stratum, exchange_p_value
from flextune.statistics.paired import Pair, difference_ends, mcnemar_p_value, newcombe

Baseline = Literal["once", "as many"]

#: Spread of the problems' ease on the logit scale: at a rate of one half, every seventh problem is passed in
#: less than one of seven runs, and every seventh in more than six.
PROBLEM_SPREAD = 1.8
#: Of the seeds' variance, the part that two arms of one seed share (same start, same order of the data).
SHARED_BY_SEED = 0.5
#: A normal score beyond which the exact p-value is below 5 % for certain, and the variance that this needs.
CLEARLY_ABOVE, ENOUGH_TO_EXCHANGE = 3.5, 5.0
#: Nodes of the quadrature that turns spreads into mean rates.
NODES = 41


@dataclass(frozen=True, slots=True)
class Design:
    """An experiment: an arm against a baseline.

    Attributes:
        problems: Posed to both.
        seeds: Trainings of the arm; 0 for a model that is not trained here.
        samples: Of each problem and training.
        baseline: ``once`` is a model that is not trained here, run once; ``as many`` has as many trainings
            and samples as the arm, with the same seeds.
        rate: Pass rate of the baseline.
        difference: The arm's rate minus the baseline's.
        seed_spread: Standard deviation of a training's rate, in [0, 1].
        reaction: How unlike the arms' strengths are, on the logit scale: 0, both find the same problems easy.
    """

    problems: int
    seeds: int
    samples: int = 1
    baseline: Baseline = "once"
    rate: float = 0.5
    difference: float = 0.0
    seed_spread: float = 0.0
    reaction: float = 0.0

    @property
    def decides(self) -> bool:
        """Whether there are enough trainings for a verdict about the method."""
        return self.seeds == 0 or self.seeds >= TRAININGS_FOR_A_METHOD


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawn experiments of one design.

    Attributes:
        pair: Pass rates, with the experiments as leading axis.
        samples: Samples of a problem and seed, of the arm and of the baseline.
    """

    pair: Pair
    samples: tuple[int, int]


def chances(rate: float, spread: float, ease: Floats) -> Floats:
    """With which chance each problem is passed, so that problems like these have the mean ``rate``.

    Args:
        rate: In (0, 1).
        spread: Of the problems' ease, on the logit scale.
        ease: Of each problem, standard normal.
    """
    return _sigmoid(_centre(rate, spread) + spread * ease)


def draw(design: Design, repeats: int, rng: np.random.Generator) -> Drawn:
    """``repeats`` experiments of a design."""
    rows, many = max(design.seeds, 1), design.baseline == "as many"
    luck = _logit_spread(design.rate, design.seed_spread)
    spread = float(np.hypot(PROBLEM_SPREAD, design.reaction))
    ease = PROBLEM_SPREAD * rng.normal(size=(repeats, 1, design.problems))
    own = [design.reaction * rng.normal(size=(repeats, 1, design.problems)) for _ in range(2)]
    shared = np.sqrt(SHARED_BY_SEED) * rng.normal(size=(repeats, rows, 1))
    apart = np.sqrt(1 - SHARED_BY_SEED) * rng.normal(size=(2, repeats, rows, 1))
    trained_spread = float(np.hypot(spread, luck)) if design.seeds else spread
    place = _centre(design.rate + design.difference, trained_spread)
    lucks = luck * (shared + apart[0]) if design.seeds else 0.0
    arm = _passed(_sigmoid(place + ease + own[0] + lucks), design.samples, rng)
    if many and design.seeds:
        chances = _sigmoid(_centre(design.rate, trained_spread) + ease + own[1] + luck * (shared + apart[1]))
    else:
        chances = _sigmoid(_centre(design.rate, spread) + ease + own[1])
    samples = design.samples if many else 1
    baseline = _passed(chances, samples, rng)
    pair = Pair(
        arm,
        baseline,
        arm_trained=design.seeds > 0,
        baseline_trained=many and design.seeds > 0,
        by_seed=many,
        equal_runs=rows * design.samples == baseline.shape[1] * samples,
    )
    return Drawn(pair, (design.samples, samples))


def shown(drawn: Drawn) -> NDArray[np.bool_]:
    """Where a difference would be likely, or certain as the only comparison; shape ``(repeats,)``."""
    pair = drawn.pair
    if _single_runs(drawn):
        ends, p_values = _of_single_runs(pair)
        return (p_values < SIGNIFICANT) & ((ends[0] > 0) | (ends[1] < 0))
    low, high = difference_ends(pair, SIGNIFICANT)
    found = (low > 0) | (high < 0)
    counts = _counts(drawn)
    # The exact test only where it can take a difference back, and the normal approximation is in doubt.
    score, reliable = _exchange_score(counts)
    for place in np.flatnonzero(found & ~(reliable & (score > CLEARLY_ABOVE))):
        strata = [Stratum(*cells) for cells in zip(*(part[place].tolist() for part in counts), strict=True)]
        found[place] = exchange_p_value(strata) < SIGNIFICANT
    return found


def same(drawn: Drawn, margin: float = MARGIN) -> NDArray[np.bool_]:
    """Where both arms would be said to be the same, if no difference is shown; shape ``(repeats,)``."""
    if _single_runs(drawn):
        (low, high), _ = _of_single_runs(drawn.pair)
    else:
        low, high = difference_ends(drawn.pair, SIGNIFICANT)
    return (low >= -margin) & (high <= margin)


def _single_runs(drawn: Drawn) -> bool:
    return drawn.samples == (1, 1) and drawn.pair.arm.shape[-2] == drawn.pair.baseline.shape[-2] == 1


def _of_single_runs(pair: Pair) -> tuple[tuple[Floats, Floats], Floats]:
    """Newcombe's interval and McNemar's p-value of each experiment."""
    a, b = pair.arm[..., 0, :] == 1, pair.baseline[..., 0, :] == 1
    cells = np.stack([(a & b).sum(-1), (a & ~b).sum(-1), (~a & b).sum(-1), (~a & ~b).sum(-1)], axis=-1)
    ends = np.array([_newcombe(*row) for row in cells.tolist()])
    p_values = np.array([_mcnemar(row[1], row[2]) for row in cells.tolist()])
    return (ends[:, 0], ends[:, 1]), p_values


_newcombe = lru_cache(maxsize=100_000)(newcombe)
_mcnemar = lru_cache(maxsize=100_000)(mcnemar_p_value)


def _counts(drawn: Drawn) -> list[NDArray[np.int64]]:
    """Passes and runs of the arm and of the baseline in each stratum, shape ``(repeats, strata)`` each."""
    pair, counts = drawn.pair, []
    for rates, samples in zip((pair.arm, pair.baseline), drawn.samples, strict=True):
        passes = np.rint(rates * samples).astype(np.int64)
        if not pair.paired_trainings:
            passes, samples = passes.sum(axis=1, keepdims=True), samples * passes.shape[1]
        flat = passes.reshape(len(passes), -1)
        counts += [flat, np.full_like(flat, samples)]
    return counts


def _exchange_score(counts: list[NDArray[np.int64]]) -> tuple[Floats, NDArray[np.bool_]]:
    """|z| of the run exchange, and where enough can change places for that to be near the exact test."""
    passed, runs, other_passed, other_runs = (part.astype(np.float64) for part in counts)
    passes, total = passed + other_passed, runs + other_runs
    mean = passes * runs / total
    variance = (mean * (other_runs / total) * (total - passes) / (total - 1)).sum(axis=-1)
    score = np.abs((passed - mean).sum(axis=-1)) / np.sqrt(np.maximum(variance, 1e-12))
    return score, variance >= ENOUGH_TO_EXCHANGE


def _passed(chances: Floats, samples: int, rng: np.random.Generator) -> Floats:
    if samples == 1:
        return (rng.random(chances.shape) < chances).astype(np.float64)
    return rng.binomial(samples, chances) / samples


def _sigmoid(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logit)), dtype=np.float64)


def _nodes() -> tuple[Floats, Floats]:
    points, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return points, weights / weights.sum()


@lru_cache(maxsize=1_000)
def _centre(rate: float, spread: float) -> float:
    """The logit around which problems of this spread are passed at this mean rate."""
    points, weights = _nodes()

    def excess(centre: float) -> float:
        return float(weights @ _sigmoid(centre + spread * points)) - rate

    return float(optimize.brentq(excess, -60, 60))


@lru_cache(maxsize=1_000)
def _logit_spread(rate: float, spread: float) -> float:
    """What moves the mean rate by ``spread``, on the logit scale."""
    points, weights = _nodes()
    chances = _sigmoid(_centre(rate, PROBLEM_SPREAD) + PROBLEM_SPREAD * points)
    return spread / float(weights @ (chances * (1 - chances)))
