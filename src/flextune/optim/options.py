"""Checks of what Sophia takes: options in their ranges, estimates in the parameters' shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor


def check_options(options: dict[str, Any]) -> None:
    """Refuse an option out of its range.

    Raises:
        ValueError: Names the option, its value and its range.
    """
    every, curvature = options["every"], options["curvature"]
    if isinstance(every, bool) or not isinstance(every, int) or every <= 0:
        raise ValueError(f"every: {every!r}, but it is a number of steps, 1 or more")
    for name in ("gamma", "eps"):
        if not 0 < options[name] < math.inf:
            raise ValueError(f"{name}: {options[name]!r}, but it must be greater than 0")
    for name in ("lr", "weight_decay"):
        if isinstance(options[name], Tensor) or not 0 <= options[name] < math.inf:
            raise ValueError(f"{name}: {options[name]!r}, but it must be a number, 0 or greater")
    if len(options["betas"]) != 2 or not all(0 <= beta < 1 for beta in options["betas"]):
        raise ValueError(f"betas: {options['betas']!r}, but they must be two numbers from 0 to below 1")
    if curvature is not None and not 0 <= curvature < math.inf:
        raise ValueError(f"curvature: {curvature!r}, but it must be None or a number, 0 or greater")


def check_shapes(estimate: Sequence[Tensor], parameters: Sequence[Tensor]) -> None:
    """Refuse an estimate that is not one tensor for each parameter, in their order.

    Raises:
        ValueError: Names the number or the first tensor that does not fit.
    """
    if len(estimate) != len(parameters):
        raise ValueError(f"{len(estimate)} curvature tensors for {len(parameters)} parameters")
    for number, (part, parameter) in enumerate(zip(estimate, parameters, strict=True)):
        if part.shape != parameter.shape:
            raise ValueError(
                f"curvature tensor {number} has shape {tuple(part.shape)}, its parameter "
                f"{tuple(parameter.shape)}: give them in the order of the groups"
            )
