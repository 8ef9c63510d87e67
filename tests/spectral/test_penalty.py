from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from tests.spectral import reference
from tests.spectral.reference import random_pair

from flextune.spectral.form import Kind, PenaltyForm
from flextune.spectral.pairs import LoraPair
from flextune.spectral.penalty import Penalty

VECTOR_KINDS: tuple[Kind, ...] = ("fourier", "reversed", "permuted", "l2")
KINDS: tuple[Kind, ...] = (*VECTOR_KINDS, "update")
LENGTHS = (1, 2, 3, 4, 7, 16, 33, 60)


@st.composite
def forms(draw: st.DrawFn) -> PenaltyForm:
    kind = draw(st.sampled_from(KINDS))
    options: dict[str, Any] = {
        "cutoff": draw(st.floats(0.05, 3)),
        "low": draw(st.floats(0, 1)),
        "high": draw(st.floats(0, 1)),
        "norm": draw(st.sampled_from(["ortho", "backward"])),
        "cutoff_of": draw(st.sampled_from(["bins", "length"])),
        "reduction": draw(st.sampled_from(["sum", "mean"])),
    }
    if kind != "update":
        options |= {
            "flatten": draw(st.sampled_from(["row", "column", "rank"])),
            "target": draw(st.sampled_from(["both", "A", "B"])),
            "onesided": draw(st.booleans()),
            "seed": draw(st.integers(0, 3)),
        }
    return PenaltyForm(kind=kind, **options)


@st.composite
def adapters(draw: st.DrawFn) -> list[LoraPair]:
    """Pairs some of which share a shape."""
    shapes = st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 3))
    kinds = draw(st.lists(shapes, min_size=1, max_size=2))
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    scales = draw(st.lists(st.sampled_from([0.5, 2.0]), min_size=len(chosen), max_size=len(chosen)))
    return [random_pair(*shape, seed=i, scale=scales[i]) for i, shape in enumerate(chosen)]


def signal(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=dtype)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(adapters(), forms())
def test_value_is_the_definition_written_out(pairs: list[LoraPair], form: PenaltyForm) -> None:
    expected = reference.penalty(pairs, form)
    assert Penalty(form).value(pairs).item() == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(adapters(), forms())
def test_gradient_is_autograds_of_the_value(pairs: list[LoraPair], form: PenaltyForm) -> None:
    penalty = Penalty(form)
    total = penalty.value(pairs)
    expected = torch.autograd.grad(total, penalty.penalised(pairs))
    value, gradients = penalty.value_and_gradients(pairs)
    assert value.item() == pytest.approx(total.item(), rel=1e-11, abs=1e-11)
    for gradient, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, wanted, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("norm", ["ortho", "backward"])
@pytest.mark.parametrize("length", LENGTHS)
def test_gradient_equals_autograd_through_a_plain_rfft(length: int, norm: Any) -> None:
    w = signal(length).requires_grad_()
    bins = length // 2 + 1
    rho = 1 - (0.95 + (0.1 - 0.95) * torch.clamp(torch.arange(bins).double() / (bins * 0.4), max=1))
    direct = (rho * torch.fft.rfft(w, norm=norm).abs().square()).sum()
    (expected,) = torch.autograd.grad(direct, w)
    value, (gradient,) = Penalty(PenaltyForm(cutoff=0.4, low=0.95, high=0.1, norm=norm)).value_and_gradients(
        [w]
    )
    assert value.item() == pytest.approx(direct.item(), rel=1e-12)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_value_can_be_differentiated_twice(kind: Any) -> None:
    pair = random_pair(5, 4, 2)
    penalty = Penalty(PenaltyForm(kind=kind))

    def value(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return penalty.value([LoraPair(a, b, 2.0)])

    assert torch.autograd.gradgradcheck(value, (pair.a, pair.b))


@pytest.mark.parametrize("kind", VECTOR_KINDS)
@pytest.mark.parametrize("length", [1, 2, 7, 10])
def test_proximal_step_is_where_a_numerical_minimiser_ends(kind: Any, length: int) -> None:
    form, step = PenaltyForm(kind=kind, low=0.8, onesided=length != 7), 0.7
    w = signal(length)
    start = w.numpy().copy()
    found = minimize(
        lambda u: 0.5 * np.sum((u - start) ** 2) + step * reference.vector_penalty(u, form),
        start,
        method="BFGS",
        options={"gtol": 1e-9},
    )
    w.requires_grad_()
    Penalty(form).proximal_([w], step)
    np.testing.assert_allclose(w.detach().numpy(), found.x, atol=2e-7)


@settings(max_examples=60, deadline=None)
@given(adapters(), forms().filter(lambda form: form.kind != "update"), st.floats(0, 5))
def test_proximal_point_solves_its_equation(pairs: list[LoraPair], form: PenaltyForm, step: float) -> None:
    penalty = Penalty(form)
    before = [tensor.detach().clone() for tensor in penalty.penalised(pairs)]
    penalty.proximal_(pairs, step)
    _, gradients = penalty.value_and_gradients(pairs)
    for old, new, gradient in zip(before, penalty.penalised(pairs), gradients, strict=True):
        torch.testing.assert_close(new.detach() + step * gradient, old, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("norm", ["ortho", "backward"])
@pytest.mark.parametrize("length", [9, 10])
def test_one_sided_proximal_step_divides_each_bin_by_its_own_factor(length: int, norm: Any) -> None:
    w = signal(length)
    spectrum = torch.fft.rfft(w)
    weights = [1 - reference.phi(k, length, PenaltyForm()) for k in range(length // 2 + 1)]
    rho = torch.tensor(weights, dtype=torch.float64)
    double = torch.ones_like(rho)
    double[0] = 2
    if length % 2 == 0:
        double[-1] = 2
    factor = 1 + 0.3 * double * rho * (length if norm == "backward" else 1)
    w.requires_grad_()
    Penalty(PenaltyForm(norm=norm)).proximal_([w], 0.3)
    torch.testing.assert_close(torch.fft.rfft(w.detach()), spectrum / factor, rtol=1e-12, atol=1e-12)


def test_step_zero_changes_nothing_and_a_huge_one_leaves_what_is_free() -> None:
    w = signal(12).requires_grad_()
    before = w.detach().clone()
    Penalty().proximal_([w], 0.0)
    torch.testing.assert_close(w.detach(), before, rtol=1e-14, atol=1e-14)
    Penalty().proximal_([w], 1e12)
    torch.testing.assert_close(w.detach(), before.mean().expand(12), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("length", [15, 16])
def test_even_weights_give_the_energy_by_parseval(length: int) -> None:
    w = signal(length)
    flat = PenaltyForm(low=0.0, high=0.0, onesided=False)
    assert Penalty(flat).value([w]).item() == pytest.approx(w.square().sum().item(), rel=1e-12)


def test_constant_is_free_and_costs_its_energy_where_dc_is_weighted() -> None:
    w = torch.full((12,), 3.0, dtype=torch.float64)
    assert Penalty().value([w]).item() == pytest.approx(0, abs=1e-20)
    assert Penalty(PenaltyForm(low=0.25)).value([w]).item() == pytest.approx(0.75 * 9 * 12, rel=1e-12)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_cosine_meets_the_weight_of_its_own_frequency(k: int) -> None:
    length = 12
    w = torch.cos(2 * math.pi * k * torch.arange(length, dtype=torch.float64) / length)
    rho = 1 - reference.phi(k, length, PenaltyForm())
    # |rfft|^2 is (n / 2)^2 inside and n^2 at Nyquist.
    power = length**2 if k == length // 2 else length**2 / 4
    assert Penalty(PenaltyForm(norm="backward")).value([w]).item() == pytest.approx(rho * power, rel=1e-12)
    assert Penalty().value([w]).item() == pytest.approx(rho * power / length, rel=1e-12)


@pytest.mark.parametrize("place", [0, 5])
def test_impulse_meets_the_sum_of_the_weights_wherever_it_is(place: int) -> None:
    w = torch.zeros(10, dtype=torch.float64)
    w[place] = 2
    rho = [1 - reference.phi(k, 10, PenaltyForm()) for k in range(6)]
    assert Penalty().value([w]).item() == pytest.approx(4 * sum(rho) / 10, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(kind: Any, dtype: torch.dtype) -> None:
    half, penalty = random_pair(7, 5, 3, dtype=dtype), Penalty(PenaltyForm(kind=kind))
    single = LoraPair(half.a.detach().float(), half.b.detach().float(), half.scale)
    value, gradients = penalty.value_and_gradients([half])
    expected, wanted = penalty.value_and_gradients([single])
    assert value == expected
    assert penalty.value([half]).item() == penalty.value([single]).item()
    for gradient, other in zip(gradients, wanted, strict=True):
        assert gradient.dtype == torch.float32
        assert torch.equal(gradient, other)
    assert penalty.value([half]).backward() is None
    assert half.a.grad is not None
    assert half.a.grad.dtype == dtype


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_changes_nothing(kind: Any) -> None:
    pair, penalty = random_pair(7, 5, 3, dtype=torch.float32), Penalty(PenaltyForm(kind=kind))
    value, gradients = penalty.value_and_gradients([pair])
    with torch.autocast("cpu", torch.bfloat16):
        again, same = penalty.value_and_gradients([pair])
        assert penalty.value([pair]).dtype == torch.float32
        assert penalty.value([pair]).item() == pytest.approx(value.item(), rel=1e-5)
    assert torch.equal(again, value)
    assert all(map(torch.equal, same, gradients))


@pytest.mark.parametrize("kind", KINDS)
def test_zero_matrices_have_no_penalty_no_gradient_and_stay(kind: Any) -> None:
    pair = LoraPair(torch.zeros(3, 6).requires_grad_(), torch.zeros(5, 3).requires_grad_())
    penalty = Penalty(PenaltyForm(kind=kind))
    value, gradients = penalty.value_and_gradients([pair])
    penalty.proximal_([pair], 1.0)
    assert value == 0
    assert not any(tensor.any() for tensor in (*gradients, pair.a, pair.b))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_added_to_what_is_there_with_their_scale(kind: Any) -> None:
    trained, fresh, frozen = (random_pair(6, 5, 2, seed=seed) for seed in range(3))
    trained.a.grad = torch.ones_like(trained.a)
    frozen.a.requires_grad_(False)
    pairs, penalty = [trained, fresh, frozen], Penalty(PenaltyForm(kind=kind))
    value, gradients = penalty.value_and_gradients(pairs)
    assert torch.equal(penalty.add_gradients_(pairs, 0.25), value)
    assert frozen.a.grad is None
    torch.testing.assert_close(trained.a.grad, 1 + 0.25 * gradients[0])
    torch.testing.assert_close(fresh.b.grad, 0.25 * gradients[3])
    torch.testing.assert_close(frozen.b.grad, 0.25 * gradients[5])


def test_gradients_take_the_parameters_type() -> None:
    pair = random_pair(6, 5, 2, dtype=torch.bfloat16)
    penalty = Penalty()
    _, gradients = penalty.value_and_gradients([pair])
    penalty.add_gradients_([pair], 0.5)
    assert pair.a.grad is not None
    assert torch.equal(pair.a.grad, (0.5 * gradients[0]).bfloat16())


def test_frozen_matrices_are_not_moved() -> None:
    pair = random_pair(6, 5, 2)
    pair.a.requires_grad_(False)
    a, b = pair.a.clone(), pair.b.detach().clone()
    Penalty().proximal_([pair], 0.5)
    assert torch.equal(pair.a, a)
    assert not torch.equal(pair.b.detach(), b)


def test_a_frozen_matrix_does_not_freeze_others_of_its_shape() -> None:
    for kind in KINDS:
        penalty = Penalty(PenaltyForm(kind=kind))
        together, alone = ([random_pair(6, 5, 2, seed=seed) for seed in range(3)] for _ in range(2))
        for pairs in (together, alone):
            pairs[0].a.requires_grad_(False)
            pairs[2].b.requires_grad_(False)
        penalty.proximal_(together, 0.1)
        for pair, other in zip(alone, together, strict=True):
            penalty.proximal_([pair], 0.1)
            torch.testing.assert_close((pair.a, pair.b), (other.a, other.b), rtol=1e-12, atol=1e-12)


def test_gradient_descent_and_the_proximal_step_agree_to_first_order() -> None:
    for kind in KINDS:
        pair, penalty = random_pair(6, 5, 2), Penalty(PenaltyForm(kind=kind))
        before = [tensor.detach().clone() for tensor in (pair.a, pair.b)]
        _, gradients = penalty.value_and_gradients([pair])
        penalty.proximal_([pair], 1e-6)
        for old, new, gradient in zip(before, (pair.a, pair.b), gradients, strict=True):
            torch.testing.assert_close(old - new.detach(), 1e-6 * gradient, rtol=1e-3, atol=1e-10)


def test_permutation_depends_on_the_seed_and_on_nothing_else() -> None:
    w = signal(40)
    values = [Penalty(PenaltyForm(kind="permuted", seed=seed)).value([w]).item() for seed in (0, 0, 1)]
    torch.manual_seed(123)
    assert values[0] == values[1] == Penalty(PenaltyForm(kind="permuted")).value([w]).item()
    assert values[0] != values[2]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_first_used_without_autograd_serve_it_later(kind: Any) -> None:
    penalty = Penalty(PenaltyForm(kind=kind, cutoff=0.123456))  # not kept by an earlier test
    pair = random_pair(8, 6, 2)
    with torch.inference_mode():
        penalty.value([pair])
    penalty.value([pair]).backward()
    assert pair.a.grad is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_matrix_that_has_no_spectrum_is_named(kind: Any) -> None:
    good = torch.ones(5, 2)
    bad = {
        "meta device": torch.ones(2, 4, device="meta"),
        "complex": torch.ones(2, 4, dtype=torch.complex64),
        "quantised or integer": torch.ones(2, 4, dtype=torch.uint8),
        r"float8_e4m3fn": torch.ones(2, 4).to(torch.float8_e4m3fn),
        "sparse": torch.ones(2, 4).to_sparse(),
    }
    penalty = Penalty(PenaltyForm(kind=kind))
    for message, tensor in bad.items():
        for call in (penalty.value, penalty.add_gradients_, lambda items: penalty.proximal_(items, 1.0)):
            with pytest.raises(ValueError, match=rf"up_proj \(lora_A\): is .*{message}"):
                call([LoraPair(tensor, good, name="up_proj")])
    with pytest.raises(ValueError, match="no LoRA matrix found"):
        penalty.value([])


def test_plain_tensors_are_named_by_place_and_have_no_ranks() -> None:
    with pytest.raises(ValueError, match=r"tensor 1 of shape \(3,\): is quantised or integer"):
        Penalty().value([torch.ones(2), torch.ones(3, dtype=torch.int32)])
    with pytest.raises(ValueError, match="flatten 'rank': a plain tensor has no ranks"):
        Penalty(PenaltyForm(flatten="rank")).value([torch.ones(2, 2)])
    with pytest.raises(ValueError, match=r"tensor 0 of shape .* is empty"):
        Penalty().value([torch.ones(0)])


@settings(max_examples=50, deadline=None)
@given(adapters(), forms().filter(lambda form: form.kind != "update"))
def test_of_the_change_it_is_that_of_the_differences(pairs: list[LoraPair], form: PenaltyForm) -> None:
    started = [pair.starting_here() for pair in pairs]
    penalty = Penalty(replace(form, of="change"))
    assert penalty.value(started).item() == 0
    moved = [replace(pair, a=pair.a + 0.5, b=2 * pair.b) for pair in started]
    differences = [replace(pair, a=torch.full_like(pair.a, 0.5), b=pair.b, start=None) for pair in started]
    expected = Penalty(form).value(differences).item()
    assert penalty.value(moved).item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_of_the_change_without_a_start_is_refused_by_name() -> None:
    penalty = Penalty(PenaltyForm(of="change"))
    with pytest.raises(ValueError, match=r"^up: of 'change' needs what it was when training began"):
        penalty.value([replace(random_pair(4, 3, 2, seed=0), name="up")])
    with pytest.raises(ValueError, match=r"^tensor 0: of 'change' needs"):
        penalty.value([torch.ones(4)])


def test_negative_step_is_refused() -> None:
    with pytest.raises(ValueError, match="step -1"):
        Penalty().proximal_([torch.ones(2)], -1.0)


def test_convolutions_and_experts_have_factors_but_no_update() -> None:
    convolution = LoraPair(signal(2, 3, 3, 3), signal(4, 2, 1, 1), name="conv")
    experts = LoraPair(signal(4, 3), signal(5, 4), name="moe", experts=2)
    value = Penalty(PenaltyForm(flatten="rank")).value([convolution, experts]).item()
    rows = [*convolution.a.flatten(1), *convolution.b.flatten(1).T, *experts.a, *experts.b.T]
    expected = sum(reference.fourier(row.numpy(), PenaltyForm()) for row in rows)
    assert value == pytest.approx(expected, rel=1e-12)
    for pair, message in ((convolution, "conv .*convolution"), (experts, "moe: holds 2 experts")):
        with pytest.raises(ValueError, match=message):
            Penalty(PenaltyForm(kind="update")).value([pair])
