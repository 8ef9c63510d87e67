"""LoRA starts at B = 0, where nothing can be learned of A's curvature: A must not fall into sign descent.

How many coordinates should be clipped is known here: the share under the exact Gauss-Newton diagonal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import pytest
import torch
from tests.optim.toys import Lora, gauss_newton_diagonal, lora, mean_loss, predict
from torch import Tensor

from flextune.optim import GaussNewtonBartlett, Hutchinson, Sophia, factor_groups

LR, GAMMA, BETAS, EPS, EVERY, STEPS = 0.03, 0.3, (0.96, 0.99), 1e-12, 10, 60

Estimate = Callable[[Lora], Sequence[Tensor]]


@dataclass
class Shares:
    """Clipped share of A's coordinates at each step: as it was, and under the exact curvature then."""

    clipped: list[float]
    intended: list[float]

    def excess(self, start: int, stop: int) -> float:
        """By how much more is clipped than the exact curvature would clip, on average."""
        return mean(self.clipped[start:stop]) - mean(self.intended[start:stop])


def rows() -> dict[str, Tensor]:
    """Labels drawn from the base layer plus an update of rank 2."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(96, 12, generator=generator)
    update = 0.6 * torch.randn(8, 2, generator=generator) @ torch.randn(2, 12, generator=generator)
    p = (x @ (lora(1).base.weight.detach() + update).T).softmax(-1)
    return {"x": x, "labels": torch.multinomial(p, 1, generator=generator).squeeze(1)}


ROWS = rows()


def exact(model: Lora) -> list[Tensor]:
    return [part.float() for part in gauss_newton_diagonal(model, ROWS["x"])]


def drawn(estimator: type[GaussNewtonBartlett] | type[Hutchinson]) -> Estimate:
    made: list[Any] = []

    def estimate(model: Lora) -> Sequence[Tensor]:
        if not made:
            made.append(estimator(factor_groups(model), predict=predict))
        made[0].accumulate(model, ROWS)
        return made[0].finish()

    return estimate


def clipped_share(m: Tensor, h: Tensor) -> float:
    return float((m.abs() >= (GAMMA * h).clamp_min(EPS)).double().mean())


def with_sophia(estimate: Estimate) -> Shares:
    model, shares = lora(1), Shares([], [])
    optimizer = Sophia(factor_groups(model), lr=LR, gamma=GAMMA, betas=BETAS, eps=EPS, every=EVERY)
    a = model.lora_A.weight
    for step in range(STEPS):
        curvature = exact(model)[0]
        if optimizer.estimate_due:
            optimizer.update_hessian(estimate(model))
        mean_loss(model, [ROWS]).backward()
        optimizer.step()
        optimizer.zero_grad()
        shares.clipped.append(1 - optimizer.win_rate([a]))
        shares.intended.append(
            clipped_share(optimizer.state[a]["momentum"] / (1 - BETAS[0] ** (step + 1)), curvature)
        )
    return shares


def without_care(estimate: Estimate) -> Shares:
    """The published algorithm: averages from zero, an estimate every ten steps, zeros taken in."""
    model, shares = lora(1), Shares([], [])
    factors = [model.lora_A.weight, model.lora_B.weight]
    momenta, curvatures = ([torch.zeros_like(factor) for factor in factors] for _ in range(2))
    for step in range(STEPS):
        intended = exact(model)[0]
        if step % EVERY == 0:
            for h, part in zip(curvatures, estimate(model), strict=True):
                h.lerp_(part, 1 - BETAS[1])
        gradients = torch.autograd.grad(mean_loss(model, [ROWS]), factors)
        for factor, m, h, gradient in zip(factors, momenta, curvatures, gradients, strict=True):
            m.lerp_(gradient, 1 - BETAS[0])
            with torch.no_grad():
                factor -= LR * (m / (GAMMA * h).clamp_min(EPS)).clamp(-1, 1)
        shares.clipped.append(clipped_share(momenta[0], curvatures[0]))
        shares.intended.append(clipped_share(momenta[0], intended))
    return shares


def test_at_b_zero_the_gradient_and_the_curvature_of_a_are_exactly_zero() -> None:
    model = lora(1)
    mean_loss(model, [ROWS]).backward()
    assert model.lora_A.weight.grad is not None
    assert torch.count_nonzero(model.lora_A.weight.grad) == 0
    assert torch.count_nonzero(exact(model)[0]) == 0
    assert torch.count_nonzero(exact(model)[1]) > 0


@pytest.mark.parametrize("source", [exact, drawn(GaussNewtonBartlett), drawn(Hutchinson)])
def test_a_is_clipped_about_as_much_as_its_exact_curvature_would_clip_it(source: Estimate) -> None:
    shares = with_sophia(source)
    assert shares.excess(10, 20) < 0.45
    assert shares.excess(20, 40) < 0.2
    assert shares.excess(40, STEPS) < 0.1


@pytest.mark.parametrize("source", [exact, drawn(GaussNewtonBartlett)])
def test_without_care_a_is_in_sign_descent_where_its_curvature_would_clip_little(source: Estimate) -> None:
    shares = without_care(source)
    assert mean(shares.clipped[1:10]) == 1.0
    assert shares.excess(10, 20) > 0.6
    assert shares.excess(20, 40) > 0.6
    assert shares.excess(40, STEPS) > 0.4


def test_a_waits_for_its_first_estimate_and_then_moves() -> None:
    model = lora(1)
    optimizer = Sophia(factor_groups(model), lr=LR, weight_decay=0.1)
    a, b = model.lora_A.weight, model.lora_B.weight
    start = a.detach().clone()
    moved = []
    for _ in range(3):
        if optimizer.estimate_due:
            optimizer.update_hessian(exact(model))
        mean_loss(model, [ROWS]).backward()
        optimizer.step()
        optimizer.zero_grad()
        moved.append(not torch.equal(a.detach(), start))
    assert moved == [False, True, True]
    assert torch.count_nonzero(b) == b.numel()


def test_with_a_learning_rate_that_starts_at_zero_a_waits_until_b_has_moved() -> None:
    model = lora(1)
    optimizer = Sophia(factor_groups(model), lr=LR)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, step / 4))
    a = model.lora_A.weight
    start, first = a.detach().clone(), None
    for step in range(8):
        if optimizer.estimate_due:
            optimizer.update_hessian(exact(model))
        mean_loss(model, [ROWS]).backward()
        optimizer.step()
        optimizer.zero_grad()
        warmup.step()
        if first is None and not torch.equal(a.detach(), start):
            first = step
    assert first == 3, "the third estimate is the first after a step of B"
