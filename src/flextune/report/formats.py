"""Numbers as text, the same on the page and in the terminal."""

from __future__ import annotations

import math

from flextune.statistics.means import Spread

UNDEFINED = "–"


def percent(value: float | None) -> str:
    """A share as percent with one decimal, without the sign: ``0.3512`` is ``35.1``."""
    return UNDEFINED if value is None or math.isnan(value) else f"{100 * value:.1f}"


def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None or math.isnan(value):
        return UNDEFINED
    rounded = round(100 * value, 1)
    # A typographic minus is as wide as the plus, so columns line up.
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{abs(rounded):.1f}"


def interval(low: float | None, high: float | None, *, signed: bool = False) -> str:
    """``[28.1, 42.0]``, or nothing where there is no interval."""
    if low is None or high is None:
        return ""
    show = points if signed else percent
    return f"[{show(low)}, {show(high)}]"


def p_value(value: float | None) -> str:
    """Three decimals; ``<0.001`` below that."""
    if value is None:
        return UNDEFINED
    if value < 0.001:
        return "<0.001"
    return "1" if value >= 0.9995 else f"{value:.3f}"


def count(number: int, thing: str) -> str:
    """``1 problem``, ``2 problems``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def number(value: float | None, digits: int, *, signed: bool = False) -> str:
    """Fixed decimals with a typographic minus, a plus where ``signed``; a dash for None."""
    if value is None:
        return UNDEFINED
    rounded = round(value, digits)
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def spread(mean: Spread | None, digits: int, *, signed: bool = False) -> str:
    """``0.1174 [0.1160, 0.1188]``; without brackets where there is no interval, a dash for None."""
    if mean is None:
        return UNDEFINED
    value = number(mean.value, digits, signed=signed)
    if mean.low is None or mean.high is None:
        return value
    return f"{value} [{number(mean.low, digits, signed=signed)}, {number(mean.high, digits, signed=signed)}]"


def mean_alone(mean: Spread | None, digits: int) -> str:
    """A mean without its interval, where a table has no room for it."""
    return number(mean.value if mean else None, digits)


def large(value: float) -> str:
    """A large number in a few characters: ``6.7 B``, ``1.4 M``, ``320``."""
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:.0f}"


def size(value: float) -> str:
    """Bytes: ``27.0 GB``, ``5.6 MB``."""
    return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"
