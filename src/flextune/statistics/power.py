"""What an experiment can tell, before it is run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flextune.errors import FlextuneError
from flextune.statistics.components import TRAININGS_FOR_A_METHOD
from flextune.statistics.decision import POWER
from flextune.statistics.simulation import Design, draw, shown

#: Experiments that are drawn for each difference.
REPEATS = 300
#: Differences that are tried, as shares.
DIFFERENCES = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4)
#: Share of the experiments beyond which larger differences are not tried any more.
ALWAYS = 0.995
#: Entries of a table of pass rates that are drawn at a time: bounds the memory.
CELLS_AT_A_TIME = 4_000_000


@dataclass(frozen=True, slots=True)
class Power:
    """How often a design shows a difference.

    Attributes:
        design: The experiment, without a difference.
        differences: Those that were tried, as shares.
        shown: How often each was shown, as a share of the drawn experiments.
        detectable: Smallest difference that is shown in four of five; None where none of those tried is.
    """

    design: Design
    differences: tuple[float, ...]
    shown: tuple[float, ...]
    detectable: float | None

    @property
    def words(self) -> str:
        """One line: what it can tell."""
        if not self.design.decides:
            return (
                f"nothing about the method: that takes {TRAININGS_FOR_A_METHOD} trainings "
                f"(there {'is' if self.design.seeds == 1 else 'are'} {self.design.seeds})"
            )
        if self.detectable is None:
            return f"no difference up to {100 * max(self.differences, default=0):.0f} points"
        return f"differences of {100 * self.detectable:.0f} points and more, in four of five such experiments"


def power(design: Design, *, repeats: int = REPEATS, seed: int = 0) -> Power:
    """Draw experiments with differences of several sizes and decide each by the rule of the page.

    Args:
        design: Its own ``difference`` is not used.
        repeats: Experiments for each difference.
        seed: Of the draws.

    Raises:
        FlextuneError: A number that no experiment has.
    """
    check(design)
    room = 1 - design.rate
    sign = 1 if room >= 0.5 else -1
    # Toward the side on which there is room: a model at 90 % cannot gain 20 points.
    tried = [size for size in DIFFERENCES if size < max(room, design.rate)]
    shares: list[float] = []
    for size in tried:
        # Beyond a difference that is always shown nothing is left to find out.
        always = bool(shares) and shares[-1] >= ALWAYS
        shares.append(1.0 if always else _shown(replace(design, difference=sign * size), repeats, seed))
    return Power(design, tuple(tried), tuple(shares), _detectable(tried, shares))


def check(design: Design) -> None:
    """Refuse what cannot be drawn.

    Raises:
        FlextuneError: With the number and what it may be.
    """
    bounds = {
        "problems": (design.problems, 2, 100_000),
        "seeds": (design.seeds, 0, 1_000),
        "samples": (design.samples, 1, 10_000),
        "rate": (design.rate, 0.001, 0.999),
        "seed spread": (design.seed_spread, 0, 0.3),
    }
    for name, (value, least, most) in bounds.items():
        if not least <= value <= most:
            raise FlextuneError(f"power: {name} must lie between {least} and {most} (given: {value:g})")


def _shown(design: Design, repeats: int, seed: int) -> float:
    """Share of the drawn experiments that show the design's difference, in its own direction."""
    if not design.decides:
        return 0.0
    rng = np.random.default_rng(seed)
    at_a_time = max(1, CELLS_AT_A_TIME // (max(design.seeds, 1) * design.problems))
    found = 0
    for first in range(0, repeats, at_a_time):
        drawn = draw(design, min(at_a_time, repeats - first), rng)
        means = drawn.pair.arm.mean(axis=(-2, -1)) - drawn.pair.baseline.mean(axis=(-2, -1))
        found += int((shown(drawn) & (np.sign(means) == np.sign(design.difference))).sum())
    return found / repeats


def _detectable(tried: list[float], shares: list[float]) -> float | None:
    """Where the share reaches ``POWER``, on a straight line between two differences that were tried."""
    before = (0.0, 0.0)
    for size, share in zip(tried, shares, strict=True):
        if share >= POWER:
            return before[0] + (size - before[0]) * (POWER - before[1]) / (share - before[1])
        before = (size, share)
    return None
