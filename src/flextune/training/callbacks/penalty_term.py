"""A penalty with its strength on one model's adapter, whichever way a Trainer applies it."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Any, Literal

from torch import Tensor, nn

from flextune.errors import FlextuneError
from flextune.spectral.form import PenaltyForm, preset
from flextune.spectral.pairs import LoraPair, lora_pairs
from flextune.spectral.penalty import Penalty

#: A penalty, its form, or the name of a preset.
Which = Penalty | PenaltyForm | str

CallbackWay = Literal["gradient", "proximal"]
Way = Literal["loss"] | CallbackWay


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
        self._starts: dict[str, tuple[Tensor, Tensor]] = {}
        self._total: Tensor | float = 0.0
        self._count = 0

    def note_start(self, model: nn.Module) -> None:
        """Keep what the matrices are before a checkpoint is loaded, where the penalty counts from that."""
        # What is wrong with the model is said when training begins.
        with contextlib.suppress(ValueError):
            self._starts = {pair.name: pair.start for pair in self._pairs(model) if pair.start is not None}

    def collect(self, model: nn.Module, *, resumed: bool = False) -> None:
        """Take the adapter's matrices, after everything that replaces them (``accelerator.prepare``).

        Args:
            model: With an adapter.
            resumed: Whether the matrices are a checkpoint's.

        Raises:
            FlextuneError: No LoRA matrix that trains, or one that the penalty cannot take, by its name; after
                a resume, one whose start is needed and was not noted.
        """
        try:
            pairs = self._pairs(model)
            self.pairs = [self._from_its_start(pair) for pair in pairs] if resumed else pairs
            self.penalty.penalised(self.pairs)
        except ValueError as error:
            raise FlextuneError(f"penalty: {error}") from None

    def _pairs(self, model: nn.Module) -> list[LoraPair]:
        form = getattr(self.penalty, "form", None)
        change = isinstance(form, PenaltyForm) and form.of == "change"
        return [pair.starting_here() if change else pair for pair in lora_pairs(model)]

    def _from_its_start(self, pair: LoraPair) -> LoraPair:
        if pair.start is None:
            return pair
        if pair.name not in self._starts:
            raise ValueError(
                f"{pair.name}: the penalty counts from its start, which is not known after a resume; hand the"
                " callback to the Trainer when that is made (callbacks=[...])"
            )
        # A sharded model has gone to its device since.
        a, b = (tensor.to(pair.a.device) for tensor in self._starts[pair.name])
        return replace(pair, start=(a, b))

    def warm_up(self, way: Way) -> None:
        """Apply the penalty once to copies, so that no timed step makes FFT plans or loads kernels."""
        if not self.strength:
            return
        copies = [replace(pair, a=_copy(pair.a), b=_copy(pair.b)) for pair in self.pairs]
        if way == "loss":
            self.penalty.value(copies).backward()
        elif way == "gradient":
            self.penalty.add_gradients_(copies, 0.0)
        else:
            self.penalty.proximal_(copies, 0.0)

    def record(self, value: Tensor) -> None:
        """Count one step's penalty, before ``strength``; it stays on its device."""
        self._total = self._total + value.detach()
        self._count += 1

    def state_dict(self) -> dict[str, Any]:
        """What was counted since the last report."""
        return {"total": float(self._total), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting from there."""
        self._total, self._count = state["total"], state["count"]

    def report(self) -> float:
        """``strength`` times the mean since the last report."""
        mean = float(self._total) / max(self._count, 1)
        self._total, self._count = 0.0, 0
        return self.strength * mean


def _penalty(which: Which) -> Penalty:
    if not isinstance(which, PenaltyForm | str):
        return which
    try:
        return Penalty(which if isinstance(which, PenaltyForm) else preset(which))
    except ValueError as error:
        raise FlextuneError(f"penalty: {error}") from None


def _copy(matrix: Tensor) -> Tensor:
    return matrix.detach().clone().requires_grad_(matrix.requires_grad)
