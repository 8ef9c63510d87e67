"""Packages that not every installation has, looked for before anything is done."""

from __future__ import annotations

import importlib.util

from flextune.config import OptimizerConfig
from flextune.records import FlextuneError


def need_training_extra(*packages: str) -> None:
    """Look for ``packages`` of the training extra without importing them.

    Raises:
        FlextuneError: One is missing.
    """
    for name in packages:
        if importlib.util.find_spec(name) is None:
            raise FlextuneError(f"{name} is not installed: pip install 'flextune[train]'")


def check_optimizer(optimizer: OptimizerConfig) -> None:
    """Look for the optimizer's package without importing it; the training extra must be there.

    Raises:
        FlextuneError: Lion's package is missing.
    """
    if optimizer.name == "lion" and importlib.util.find_spec("pytorch_optimizer") is None:
        from flextune.training.recipe import LION_MISSING

        raise FlextuneError(LION_MISSING)
