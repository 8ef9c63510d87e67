"""The numbers that docs/penalty.md states without a table: ``python -m benchmarks.penalty_numbers``.

Seconds on a CPU; nothing is trained and nothing is downloaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from flextune.spectral.form import PenaltyForm, decoupled_strength, mask, preset
from flextune.spectral.pairs import LoraPair
from flextune.spectral.penalty import Penalty

STRENGTH, STEPS, RATE = 0.02, 282, 2e-4
SHAPE = (8, 4096)


def fresh_factor() -> Tensor:
    """A as PEFT initialises it."""
    factor = nn.Linear(SHAPE[1], SHAPE[0], bias=False).weight
    torch.manual_seed(0)
    nn.init.kaiming_uniform_(factor, a=math.sqrt(5))
    return factor.detach().double()


def smooth_factor() -> Tensor:
    """Eight slow sine waves along the inputs."""
    places = torch.arange(SHAPE[1], dtype=torch.float64) / SHAPE[1]
    return torch.stack([torch.sin(2 * math.pi * (wave + 1) * places) for wave in range(SHAPE[0])])


def size_of(factor: Tensor, form: PenaltyForm) -> tuple[float, float]:
    """``STRENGTH * L`` of one factor, and the norm of its gradient."""
    value, (gradient,) = Penalty(form).value_and_gradients([factor])
    return STRENGTH * value.item(), STRENGTH * gradient.norm().item()


def cosine_with_decay(factor: Tensor) -> float:
    """Between the penalty's gradient and the factor itself, which is weight decay's direction."""
    _, (gradient,) = Penalty().value_and_gradients([factor])
    return torch.nn.functional.cosine_similarity(gradient.flatten(), factor.flatten(), dim=0).item()


def rate_sum() -> float:
    """Of a cosine run's learning rates."""
    return sum(RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS)) for step in range(STEPS))


def shrinkage(factor: Tensor) -> float:
    """Part of a factor's norm that the proximal steps of a run take away."""
    moved = factor.clone().requires_grad_()
    for step in range(STEPS):
        rate = RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        Penalty().proximal_([moved], rate * STRENGTH)
    return 1 - (moved.norm() / factor.norm()).item()


def lines() -> Iterator[str]:
    """One number or two a line, after what it is."""
    fresh, smooth = fresh_factor(), smooth_factor()
    for norm, form in (("backward", preset("paper-literal")), ("ortho", preset("default"))):
        value, gradient = size_of(fresh, form)
        yield f"{STRENGTH} L and its gradient, fresh factor, norm {norm}: {value:.3g}, {gradient:.3g}"
    for form in (PenaltyForm(), PenaltyForm(cutoff_of="length")):
        yield f"mean rho, cutoff_of {form.cutoff_of}: {(1 - mask(2**15, form)).mean().item():.3f}"
    yield f"cosine of the gradient with weight decay, fresh factor: {cosine_with_decay(fresh):.2f}"
    yield f"shrinkage by proximal steps of {STRENGTH} in {STEPS} steps: {100 * shrinkage(fresh):.2f} %"
    strength = decoupled_strength(0.3, rate_sum(), fresh.numel(), PenaltyForm())
    yield f"strength of proximal steps that shrink by 30 %: {strength:.1f}"
    order = torch.randperm(SHAPE[1], generator=torch.Generator().manual_seed(0))
    plain = Penalty().value([smooth])
    pair = LoraPair(smooth, torch.zeros(1, SHAPE[0]).double())
    by_column = Penalty(PenaltyForm(flatten="column")).value([pair])
    yield f"smooth factor with its columns permuted, ratio: {Penalty().value([smooth[:, order]]) / plain:.0f}"
    yield f"smooth factor flattened by column, ratio: {by_column / plain:.0f}"


if __name__ == "__main__":
    print("\n".join(lines()))
