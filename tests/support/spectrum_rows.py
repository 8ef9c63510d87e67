"""Rows as the pipeline's spectra have them, with numbers that are easy to follow."""

from __future__ import annotations

from typing import Any

NUMBERS = ("high_share", "entropy", "stable_rank", "effective_rank")
VIEWS = (("A", "row"), ("B", "row"), ("update", "input"), ("update", "output"))


def spectrum_row(
    factor: str = "A", axis: str = "row", *, value: float | None = 0.5, low: float = 0.4, high: float = 0.6
) -> dict[str, Any]:
    """All numbers are ``value``, and all bands run from ``low`` to ``high``."""
    band = {"mean": (low + high) / 2, "low": low, "high": high}
    power = {"mean": [1.0, 1.0], "low": [0.9, 0.8], "high": [1.1, 1.2]}
    null = {"power": power, **dict.fromkeys(NUMBERS, band)}
    return {
        "type": "up_proj",
        "factor": factor,
        "axis": axis,
        "power": [1.25, 0.75] if value is not None else [0.0, 0.0],
        **dict.fromkeys(NUMBERS, value),
        "permuted": null,
        "noise": null,
    }


def module_rows(kind: str = "up_proj", layer: int | None = 0, **options: Any) -> list[dict[str, Any]]:
    """The four rows of a module."""
    return [
        {
            **spectrum_row(*view, **options),
            "name": f"m.{layer}.{kind}",
            "layer": layer,
            "type": kind,
            "rank": 8,
        }
        for view in VIEWS
    ]


def type_rows(kind: str = "up_proj", *, outside: int = 1, **options: Any) -> list[dict[str, Any]]:
    """The four rows of a type of module."""
    counts = {number: {"permuted": outside, "noise": outside + 2} for number in NUMBERS}
    return [
        {**spectrum_row(*view, **options), "type": kind, "modules": 32, "outside": counts} for view in VIEWS
    ]
