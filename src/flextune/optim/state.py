"""What Sophia keeps for a parameter, and the two numbers that its update needs from it.

``step`` (gradients seen), ``momentum``, and unless the curvature is a constant ``hessian`` with
``hessian_weight``, the total weight of the estimates in that average: 0 while the parameter waits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from flextune.optim.groups import local

WIDE = ("momentum", "hessian")


def wide_dtype(parameter: Tensor) -> torch.dtype:
    """float32, or float64 for a parameter in it."""
    return torch.promote_types(parameter.dtype, torch.float32)


def fill(state: dict[str, Any], group: dict[str, Any], parameter: Tensor) -> dict[str, Any]:
    """The state itself, with its first values if it had none."""
    if not state:
        state["step"] = 0
        state["momentum"] = torch.zeros_like(parameter, dtype=wide_dtype(parameter))
        if group["curvature"] is None:
            state["hessian"] = torch.zeros_like(parameter, dtype=wide_dtype(parameter))
            state["hessian_weight"] = 0.0
    return state


def average(state: dict[str, Any], group: dict[str, Any], estimate: Tensor, gap: int) -> None:
    """Move h towards an estimate that stands for ``gap`` steps."""
    fresh = 1.0 - group["betas"][1] ** (gap / group["every"])
    hessian = local(state["hessian"])
    hessian.lerp_(estimate.to(hessian), fresh)
    state["hessian_weight"] += fresh * (1.0 - state["hessian_weight"])


def scale_and_floor(state: dict[str, Any], group: dict[str, Any]) -> tuple[float, float] | None:
    """What h is multiplied with and the least denominator; None for a tensor that waits.

    With c = 1 - beta1^step, m / c over max(gamma h / weight, eps) is m over max(c gamma h / weight, c eps).
    """
    corrected = group["bias_correction"]
    c = 1.0 - group["betas"][0] ** state["step"] if corrected else 1.0
    if group["curvature"] is not None:
        return 1.0, c * max(group["gamma"] * group["curvature"], group["eps"])
    if not (weight := state["hessian_weight"]):
        return None
    return c * group["gamma"] / (weight if corrected else 1.0), c * group["eps"]


def moments(state: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
    """This process's part of m and h; None where the curvature is a constant."""
    return local(state["momentum"]), local(state["hessian"]) if "hessian" in state else None
