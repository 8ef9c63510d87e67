from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from tests.spectral import reference
from tests.spectral.reference import dense_penalty, random_pair

from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import LoraPair
from flextune.spectral.penalty import Penalty

UPDATE = Penalty(PenaltyForm(kind="update"))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 9),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["ortho", "backward"]),
)
def test_gram_form_agrees_with_the_dense_transform_to_twelve_digits(
    inputs: int, outputs: int, rank: int, low: float, high: float, norm: Any
) -> None:
    form = PenaltyForm(kind="update", low=low, high=high, norm=norm)
    pair = random_pair(inputs, outputs, rank)
    update = pair.scale * pair.b.detach() @ pair.a.detach()
    energy = update.square().sum().item() * (inputs * outputs if norm == "backward" else 1)
    expected = dense_penalty(update, form).item()
    assert abs(Penalty(form).value([pair]).item() - expected) <= 1e-12 * energy
    assert abs(Penalty(form).value_and_gradients([pair])[0].item() - expected) <= 1e-12 * energy


def test_gradients_agree_with_autograd_through_the_dense_transform() -> None:
    for inputs, outputs in ((33, 20), (12, 7), (1, 2)):
        pair = random_pair(inputs, outputs, 4)
        dense = dense_penalty(pair.scale * pair.b @ pair.a, UPDATE.form)
        expected = torch.autograd.grad(dense, (pair.a, pair.b))
        _, gradients = UPDATE.value_and_gradients([pair])
        for gradient, wanted in zip(gradients, expected, strict=True):
            torch.testing.assert_close(gradient, wanted, rtol=1e-12, atol=1e-12 * wanted.abs().max().item())


@pytest.mark.parametrize("factor", [1e-3, 4.0])
def test_update_form_does_not_see_the_gauge_and_the_factor_form_does(factor: float) -> None:
    pair = random_pair(24, 18, 4)
    scaled = LoraPair(factor * pair.a, pair.b / factor, pair.scale)
    assert UPDATE.value([scaled]).item() == pytest.approx(UPDATE.value([pair]).item(), rel=1e-12)
    paper = Penalty()
    assert paper.value([scaled]).item() != pytest.approx(paper.value([pair]).item(), rel=0.1)


def test_any_change_of_basis_between_the_factors_leaves_the_update_form() -> None:
    pair = random_pair(24, 18, 4)
    change = torch.randn(4, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    other = LoraPair(change @ pair.a, pair.b @ torch.linalg.inv(change), pair.scale)
    assert UPDATE.value([other]).item() == pytest.approx(UPDATE.value([pair]).item(), rel=1e-10)


def test_a_smooth_update_is_found_smooth_with_full_relative_accuracy() -> None:
    # Constant along both dimensions: only the weight at (0, 0) counts, which is 0.
    pair = LoraPair(torch.ones(2, 16, dtype=torch.float64), torch.ones(12, 2, dtype=torch.float64))
    assert UPDATE.value([pair]).item() == pytest.approx(0, abs=1e-25)
    # One frequency along the inputs: the weight there is rho of that frequency.
    wave = torch.cos(2 * torch.pi * 3 * torch.arange(16, dtype=torch.float64) / 16).expand(2, 16)
    pair = LoraPair(wave, pair.b)
    energy = (pair.b @ wave).square().sum().item()
    expected = (1 - reference.phi(3, 16, UPDATE.form)) * energy
    assert UPDATE.value([pair]).item() == pytest.approx(expected, rel=1e-13)


def test_order_of_neurons_matters_and_transposition_does_not() -> None:
    wave = torch.sin(2 * torch.pi * torch.arange(32, dtype=torch.float64) / 32).expand(2, 32)
    pair = LoraPair(wave, torch.ones(20, 2, dtype=torch.float64))
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    assert UPDATE.value([LoraPair(wave[:, order], pair.b)]) > 4 * UPDATE.value([pair])
    turned = LoraPair(pair.b.mT, pair.a.mT)
    assert UPDATE.value([turned]).item() == pytest.approx(UPDATE.value([pair]).item(), rel=1e-12)


@pytest.mark.parametrize("frozen", ["a", "b"])
@pytest.mark.parametrize("norm", ["ortho", "backward"])
def test_half_of_the_proximal_step_is_where_a_numerical_minimiser_ends(frozen: str, norm: Any) -> None:
    form, step = PenaltyForm(kind="update", low=0.9, norm=norm), 0.02
    pair = random_pair(5, 4, 2, scale=1.5)
    getattr(pair, frozen).requires_grad_(False)
    moving = pair.b if frozen == "a" else pair.a
    start = moving.detach().clone()

    def objective(flat: np.ndarray) -> float:
        u = torch.from_numpy(flat).view_as(start)
        changed = LoraPair(u, pair.b, 1.5) if frozen == "b" else LoraPair(pair.a, u, 1.5)
        return 0.5 * float((u - start).square().sum()) + step * reference.update_penalty(changed, form)

    found = minimize(objective, start.flatten().numpy(), method="BFGS", options={"gtol": 1e-8})
    held = getattr(pair, frozen).clone()
    Penalty(form).proximal_([pair], step)
    np.testing.assert_allclose(moving.detach().flatten().numpy(), found.x, atol=1e-6)
    assert torch.equal(getattr(pair, frozen), held)


@pytest.mark.parametrize("step", [1e-3, 1.0, 1e4])
def test_proximal_step_takes_b_after_a_and_never_raises_the_penalty(step: float) -> None:
    pair, by_hand = random_pair(9, 8, 3), random_pair(9, 8, 3)
    before = UPDATE.value([pair])
    UPDATE.proximal_([pair], step)
    assert UPDATE.value([pair]) < before
    for frozen, moving in ((by_hand.b, by_hand.a), (by_hand.a, by_hand.b)):
        frozen.requires_grad_(False)
        moving.requires_grad_(True)
        UPDATE.proximal_([by_hand], step)
    torch.testing.assert_close(pair.a.detach(), by_hand.a.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(pair.b.detach(), by_hand.b.detach(), rtol=1e-12, atol=1e-12)


def test_untrained_adapter_is_left_as_it_is() -> None:
    pair = LoraPair(random_pair(6, 5, 2).a, torch.zeros(5, 2, dtype=torch.float64).requires_grad_())
    before = pair.a.detach().clone()
    value, gradients = UPDATE.value_and_gradients([pair])
    UPDATE.proximal_([pair], 10.0)
    assert value == 0
    assert not any(gradient.any() for gradient in gradients)
    torch.testing.assert_close(pair.a.detach(), before, rtol=1e-14, atol=1e-14)
    assert not pair.b.any()


def test_plain_tensors_are_refused() -> None:
    with pytest.raises(ValueError, match="kind 'update': item 1 is a tensor; hand in LoRA pairs"):
        UPDATE.value([random_pair(3, 3, 1), torch.ones(2, 2)])
