"""A search for the value at which something that rises or falls with it reaches a target."""

from __future__ import annotations

import math
from collections.abc import Mapping

#: The largest factor between a value and the next one.
_LARGEST = 4.0


def next_value(measured: Mapping[float, float], target: float, *, first_slope: float = -0.5) -> float | None:
    """What to try next, on logarithmic scales; None where what was measured does not change with the value.

    The second value assumes a slope; later ones lie on the line through the two measurements next to the
    target, one on each side where there are such.

    Args:
        measured: Values above 0 to what was measured at them, above 0; at least one.
        target: What is to be reached, above 0.
        first_slope: The assumed one: a norm falls about as the root of a penalty's strength rises.
    """
    wanted = math.log(target)
    points = sorted((math.log(value), math.log(found)) for value, found in measured.items())
    nearest = min(points, key=lambda point: abs(point[1] - wanted))
    slope = first_slope
    if len(points) > 1:
        other = _beside(points, nearest, wanted)
        slope = (other[1] - nearest[1]) / (other[0] - nearest[0])
    if not slope:
        return None
    step = (wanted - nearest[1]) / slope
    limit = math.log(_LARGEST)
    return math.exp(nearest[0] + min(max(step, -limit), limit))


def _beside(
    points: list[tuple[float, float]], nearest: tuple[float, float], wanted: float
) -> tuple[float, float]:
    """The next nearest point, on the other side of the target if there is one."""
    others = [point for point in points if point != nearest]
    across = [point for point in others if (point[1] - wanted) * (nearest[1] - wanted) < 0]
    return min(across or others, key=lambda point: abs(point[1] - wanted))
