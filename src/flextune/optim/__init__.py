"""Sophia and its curvature estimates in plain torch, for any training loop."""

from __future__ import annotations

from flextune.optim.bartlett import GaussNewtonBartlett
from flextune.optim.estimator import Estimator, causal_tokens
from flextune.optim.groups import factor_groups
from flextune.optim.hutchinson import Hutchinson
from flextune.optim.sophia import Sophia
from flextune.optim.together import Together

__all__ = [
    "Estimator",
    "GaussNewtonBartlett",
    "Hutchinson",
    "Sophia",
    "Together",
    "causal_tokens",
    "factor_groups",
]
