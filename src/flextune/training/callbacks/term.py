"""A penalty at work on one model: its matrices, its strength, and what it was since the last log."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from flextune.errors import FlextuneError
from flextune.spectral.form import PenaltyForm, preset
from flextune.spectral.pairs import LoraPair, lora_pairs
from flextune.spectral.penalty import Penalty

#: A penalty, its form, or the name of a preset.
Which = Penalty | PenaltyForm | str


class PenaltyTerm:
    """A penalty with its strength on one model's adapter, and the mean of what it was since the last log.

    Args:
        penalty: Which.
        strength: lambda.

    Raises:
        FlextuneError: An unknown preset, or a strength that is negative or not finite.
    """

    def __init__(self, penalty: Which, strength: float) -> None:
        if not 0 <= strength < math.inf:
            raise FlextuneError(f"strength {strength}: must be a finite number, 0 or more")
        self.penalty = _penalty(penalty)
        self.strength = strength
        self.pairs: list[LoraPair] = []
        self._total: Tensor | float = 0.0
        self._count = 0

    def collect(self, model: Any) -> None:
        """Find the adapter, after everything that replaces parameters (``accelerator.prepare``).

        Raises:
            FlextuneError: No LoRA matrix that trains, or one that the penalty cannot take, by its name.
        """
        try:
            self.pairs = lora_pairs(model)
            self.penalty.penalised(self.pairs)
        except ValueError as error:
            raise FlextuneError(f"penalty: {error}") from None

    def record(self, value: Tensor) -> None:
        """One step's penalty, before ``strength``; it stays on its device."""
        self._total = self._total + value.detach()
        self._count += 1

    def report(self) -> float:
        """``strength`` times the mean since the last report."""
        mean = float(self._total) / max(self._count, 1)
        self._total, self._count = 0.0, 0
        return self.strength * mean


def _penalty(which: Which) -> Penalty:
    if isinstance(which, Penalty):
        return which
    try:
        return Penalty(which if isinstance(which, PenaltyForm) else preset(which))
    except ValueError as error:
        raise FlextuneError(f"penalty: {error}") from None
