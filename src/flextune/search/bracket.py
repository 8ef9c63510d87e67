"""A search on a grid of ratios that closes in on the best point and grows where that is at an edge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flextune.search.base import Proposal, Trial

#: Where on each axis: the exponent of the setting's ratio; 0 is the arm's own value.
Point = tuple[float, ...]


#: Neighbouring exponents are not tried closer than this.
_FINEST = 0.25


def next_point(losses: Mapping[Point, float], axes: int) -> Point | None:
    """What to try next; None when the best has been closed in as finely as is tried.

    First the origin. Then, while the best point has nothing tried on one side of an axis, one step further
    that way, so that the grid grows with the best; then the middle of the widest gap beside the best.

    Args:
        losses: What was tried; infinite where it diverged.
        axes: Number of settings.
    """
    if not losses:
        return (0.0,) * axes
    best = best_point(losses)
    gaps: list[tuple[float, Point]] = []
    for axis in range(axes):
        below, above = _beside(losses, best, axis)
        for side, direction in ((below, -1), (above, 1)):
            if side is None:
                return _moved(best, axis, best[axis] + direction)
            gaps.append((abs(side - best[axis]), _moved(best, axis, (side + best[axis]) / 2)))
    widest, middle = max(gaps, key=lambda gap: gap[0])
    return middle if widest / 2 >= _FINEST else None


def interior(losses: Mapping[Point, float]) -> bool:
    """Whether something worse was tried on both sides of the best, on every axis."""
    best = best_point(losses)
    return all(None not in _beside(losses, best, axis) for axis in range(len(best)))


def best_point(losses: Mapping[Point, float]) -> Point:
    """The point with the lowest loss; of equals the first by its exponents."""
    return min(losses, key=lambda point: (losses[point], point))


def _beside(losses: Mapping[Point, float], best: Point, axis: int) -> tuple[float | None, float | None]:
    """The nearest places on an axis, below and above, that were tried with all else equal."""
    line = [point[axis] for point in losses if _moved(point, axis, best[axis]) == best]
    below = max((place for place in line if place < best[axis]), default=None)
    return below, min((place for place in line if place > best[axis]), default=None)


def _moved(point: Point, axis: int, place: float) -> Point:
    return (*point[:axis], place, *point[axis + 1 :])


@dataclass(frozen=True)
class Bracket:
    """Settings around their own values, on a grid of ratios: what ``tune:`` and ``search: bracket`` share.

    Attributes:
        start: Each key's own value.
        ratios: By what each moves.
        trials: How many at most.
        lowest: Whether the lowest value is the best; else the highest.
    """

    start: Mapping[str, float]
    ratios: Mapping[str, float]
    trials: int
    lowest: bool = True
    in_turn = True

    def settings(self, point: Point) -> dict[str, float]:
        """The values at a point, to four digits."""
        return {
            key: float(f"{self.start[key] * self.ratios[key] ** exponent:.4g}")
            for key, exponent in zip(self.start, point, strict=True)
        }

    def propose(self, trials: Sequence[Trial]) -> Proposal | None:
        """What lies beside the best of the trials, all of which have ended."""
        losses: dict[Point, float] = {}
        # The points follow from the values, so that nothing but the trials has to be remembered.
        while len(losses) < min(len(trials), self.trials):
            point = next_point(losses, len(self.start))
            if point is None:
                return None
            losses[point] = self._loss(trials[len(losses)])
        point = next_point(losses, len(self.start)) if len(losses) < self.trials else None
        return None if point is None else Proposal(self.settings(point))

    def close(self) -> None:
        """Nothing is open."""

    def _loss(self, trial: Trial) -> float:
        if trial.value is None or trial.state != "done":
            return math.inf
        return trial.value if self.lowest else -trial.value
