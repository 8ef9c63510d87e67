"""Updates of several adapters on one module, and of starts in the base weights, against dense ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from tests.spectral import reference
from tests.spectral.reference import dense_penalty, random_pair

from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import LoraPair
from flextune.spectral.penalty import Penalty

UPDATE = Penalty(PenaltyForm(kind="update"))


def started(inputs: int, outputs: int, rank: int, seed: int, **changes: Any) -> LoraPair:
    """A pair with a start of its own."""
    pair, start = (
        random_pair(inputs, outputs, rank, seed=seed),
        random_pair(inputs, outputs, rank, seed=seed + 99),
    )
    return replace(pair, start=(start.a.detach(), start.b.detach()), **changes)


def start_of(pair: LoraPair) -> tuple[torch.Tensor, torch.Tensor]:
    assert pair.start is not None
    return pair.start


def change(pairs: list[LoraPair]) -> torch.Tensor:
    """What the pairs of one module do to its weights together."""
    parts = [pair.scale * pair.b @ pair.a for pair in pairs]
    parts += [-pair.scale * pair.start[1] @ pair.start[0] for pair in pairs if pair.start is not None]
    return torch.stack(parts).sum(0)


#: Names to the pairs of one module of 7 outputs and 10 inputs.
MODULES: dict[str, list[LoraPair]] = {
    "two adapters": [
        replace(random_pair(10, 7, 3, seed=1), module="up"),
        replace(random_pair(10, 7, 2, seed=2, scale=0.5), module="up"),
    ],
    "a start": [started(10, 7, 3, 3, module="up")],
    "both": [
        started(10, 7, 3, 4, module="up", scale=1.5),
        replace(random_pair(10, 7, 2, seed=5), module="up"),
        started(10, 7, 1, 6, module="up", scale=0.25),
    ],
}


@pytest.fixture(params=list(MODULES.values()), ids=list(MODULES))
def module(request: pytest.FixtureRequest) -> list[LoraPair]:
    return [
        replace(pair, a=pair.a.detach().clone().requires_grad_(), b=pair.b.detach().clone().requires_grad_())
        for pair in request.param
    ]


@pytest.mark.parametrize("norm", ["ortho", "backward"])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_penalty_is_of_the_modules_whole_update(
    module: list[LoraPair], norm: Any, reduction: Any
) -> None:
    form = PenaltyForm(kind="update", norm=norm, reduction=reduction)
    other = replace(random_pair(10, 7, 3, seed=8), module="down")
    dense = dense_penalty(change(module), form) + dense_penalty(change([other]), form)
    dense = dense / 2 if reduction == "mean" else dense
    tensors = [tensor for pair in [*module, other] for _, tensor in pair.factors()]
    expected = torch.autograd.grad(dense, tensors)
    value, gradients = Penalty(form).value_and_gradients([*module, other])
    assert value.item() == pytest.approx(dense.item(), rel=1e-12)
    assert Penalty(form).value([*module, other]).item() == pytest.approx(dense.item(), rel=1e-12)
    for gradient, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-11, atol=1e-11)


def test_it_is_not_the_sum_over_adapters(module: list[LoraPair]) -> None:
    apart = [replace(pair, module=None) for pair in module]
    same = UPDATE.value(apart).item() == pytest.approx(UPDATE.value(module).item())
    assert same == (len(module) == 1)


@pytest.mark.parametrize("frozen", ["a", "b"])
def test_half_of_the_proximal_step_is_where_a_numerical_minimiser_ends(
    module: list[LoraPair], frozen: str
) -> None:
    step = 0.02
    for pair in module:
        getattr(pair, frozen).requires_grad_(False)
    moving = [pair.b if frozen == "a" else pair.a for pair in module]
    before = torch.cat([tensor.detach().flatten() for tensor in moving])
    sizes = [tensor.numel() for tensor in moving]

    def objective(flat: np.ndarray) -> float:
        parts = torch.from_numpy(flat).split(sizes)
        moved = [
            replace(pair, **{"b" if frozen == "a" else "a": part.view_as(tensor)})
            for pair, part, tensor in zip(module, parts, moving, strict=True)
        ]
        distance = float((torch.from_numpy(flat) - before).square().sum())
        return 0.5 * distance + step * dense_penalty(change(moved), UPDATE.form).item()

    found = minimize(objective, before.numpy(), method="BFGS", options={"gtol": 1e-8})
    UPDATE.proximal_(module, step)
    moved = torch.cat([tensor.detach().flatten() for tensor in moving])
    np.testing.assert_allclose(moved.numpy(), found.x, atol=1e-5)


def test_one_adapter_that_is_frozen_stays_and_counts() -> None:
    first, second = MODULES["two adapters"]
    fixed = replace(first, a=first.a.detach().clone(), b=first.b.detach().clone())
    moving = replace(second, a=second.a.detach().clone().requires_grad_(), b=second.b.detach().clone())
    before = dense_penalty(change([fixed, moving]), UPDATE.form)
    held = fixed.a.clone()
    UPDATE.proximal_([fixed, moving], 0.1)
    assert torch.equal(fixed.a, held)
    assert dense_penalty(change([fixed, moving]), UPDATE.form) < before


@pytest.mark.parametrize("kind", ["fourier", "reversed", "permuted", "l2", "update"])
@pytest.mark.parametrize("flatten", ["row", "column", "rank"])
def test_a_start_has_no_penalty_no_gradient_and_does_not_move(kind: Any, flatten: Any) -> None:
    form = PenaltyForm(kind=kind, flatten="row" if kind == "update" else flatten)
    a0, b0 = start_of(pair := started(10, 7, 3, 3))
    pair = replace(pair, a=a0.clone().requires_grad_(), b=b0.clone().requires_grad_())
    value, gradients = Penalty(form).value_and_gradients([pair])
    Penalty(form).proximal_([pair], 10.0)
    assert value == 0
    assert not any(gradient.any() for gradient in gradients)
    assert torch.equal(pair.a, a0)
    assert torch.equal(pair.b, b0)


@pytest.mark.parametrize("kind", ["fourier", "reversed", "permuted", "l2"])
@pytest.mark.parametrize("flatten", ["row", "column", "rank"])
def test_of_a_pair_with_a_start_each_factors_change_is_penalised(kind: Any, flatten: Any) -> None:
    form, pair = PenaltyForm(kind=kind, flatten=flatten), started(10, 7, 3, 3)
    a0, b0 = start_of(pair)
    moved = LoraPair(pair.a.detach() - a0, pair.b.detach() - b0, pair.scale)
    expected = reference.penalty([moved], form)
    plain = random_pair(10, 7, 3, seed=9)
    value, gradients = Penalty(form).value_and_gradients([plain, pair])
    assert value.item() == pytest.approx(reference.penalty([plain], form) + expected, rel=1e-12)
    _, of_change = Penalty(form).value_and_gradients([moved])
    for gradient, wanted in zip(gradients[2:], of_change, strict=True):
        torch.testing.assert_close(gradient, wanted)
    Penalty(form).proximal_([pair], 0.3)
    moved = replace(moved, a=moved.a.requires_grad_(), b=moved.b.requires_grad_())
    Penalty(form).proximal_([moved], 0.3)
    for factor, start, by in zip((pair.a, pair.b), start_of(pair), (moved.a, moved.b), strict=True):
        torch.testing.assert_close(factor, start + by)


def test_adapters_of_one_module_have_updates_of_one_shape() -> None:
    pairs = [replace(random_pair(10, 7, 2), module="up"), replace(random_pair(9, 7, 2), module="up")]
    with pytest.raises(ValueError, match=r"its adapters' updates have the shapes \[\(7, 9\), \(7, 10\)\]"):
        UPDATE.value(pairs)
