"""A search on a grid of ratios that closes in on the best point and grows where that is at an edge."""

from __future__ import annotations

from collections.abc import Mapping

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
