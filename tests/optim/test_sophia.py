"""The update against the published formula in float64, and what the optimizer refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from flextune.optim import Sophia


def parameters(shapes: list[tuple[int, ...]], dtype: torch.dtype = torch.float32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in shapes]


def gradient(parameter: Tensor, step: int) -> Tensor:
    generator = torch.Generator().manual_seed(100 * step + parameter.numel())
    return torch.randn(parameter.shape, generator=generator).to(parameter.dtype)


def curvature(parameter: Tensor, step: int) -> Tensor:
    """Some of it negative, as Hutchinson's is."""
    generator = torch.Generator().manual_seed(7 + 100 * step + parameter.numel())
    return torch.randn(parameter.shape, generator=generator) + 1.0


def train(found: list[Tensor], steps: int, **options: Any) -> Sophia:
    """Steps with made-up gradients, and an estimate whenever one is due."""
    optimizer = Sophia(found, **options)
    for step in range(steps):
        if optimizer.estimate_due:
            assert optimizer.update_hessian([curvature(parameter, step) for parameter in found])
        for parameter in found:
            parameter.grad = gradient(parameter, step)
        optimizer.step()
    return optimizer


def published(w: Tensor, steps: int, *, lr: float, gamma: float, betas: tuple[float, float], eps: float,
              weight_decay: float, every: int, corrected: bool) -> Tensor:  # fmt: skip
    """The formula, one step after the other, in float64."""
    original, w = w, w.detach().double()
    m, h, estimates = torch.zeros_like(w), torch.zeros_like(w), 0
    for t in range(steps):
        if t % every == 0:
            h = betas[1] * h + (1 - betas[1]) * curvature(original, t).double()
            estimates += 1
        m = betas[0] * m + (1 - betas[0]) * gradient(original, t).double()
        m_hat = m / (1 - betas[0] ** (t + 1)) if corrected else m
        h_hat = h / (1 - betas[1] ** estimates) if corrected else h
        w = w - lr * weight_decay * w
        w = w - lr * (m_hat / torch.maximum(gamma * h_hat, torch.tensor(eps))).clamp(-1, 1)
    return w


shapes_of_parameters = st.lists(
    st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4
)


@settings(max_examples=40, deadline=None)
@given(
    shapes=shapes_of_parameters,
    steps=st.integers(1, 12),
    every=st.integers(1, 5),
    gamma=st.floats(0.01, 3.0),
    betas=st.tuples(st.floats(0, 0.98), st.floats(0, 0.995)),
    weight_decay=st.sampled_from([0.0, 0.3]),
    corrected=st.booleans(),
    foreach=st.booleans(),
)
def test_steps_equal_the_published_formula_in_float64(
    shapes: list[tuple[int, ...]], steps: int, every: int, gamma: float, betas: tuple[float, float],
    weight_decay: float, corrected: bool, foreach: bool,
) -> None:  # fmt: skip
    options = {"lr": 0.1, "gamma": gamma, "betas": betas, "weight_decay": weight_decay, "every": every}
    found = parameters(shapes, torch.float64)
    expected = [published(w, steps, eps=1e-12, corrected=corrected, **options) for w in found]  # type: ignore[arg-type]
    train(found, steps, bias_correction=corrected, early_estimates=False, foreach=foreach, **options)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.detach(), other, rtol=1e-9, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(
    shapes=shapes_of_parameters,
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
    constant=st.sampled_from([None, 1e-4, 1.0]),
    corrected=st.booleans(),
    decay=st.sampled_from([0.0, 0.1]),
)
def test_foreach_equals_one_tensor_after_the_other(
    shapes: list[tuple[int, ...]],
    dtype: torch.dtype,
    constant: float | None,
    corrected: bool,
    decay: float,
) -> None:
    one, other = parameters(shapes, dtype), parameters(shapes, dtype)
    options = {"lr": 0.03, "curvature": constant, "bias_correction": corrected, "weight_decay": decay}
    train(one, 12, foreach=True, **options)
    train(other, 12, foreach=False, **options)
    for first, second in zip(one, other, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-7)


def test_weight_decay_below_the_rounding_of_half_precision_still_adds_to_the_step() -> None:
    w = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    optimizer = Sophia([w], lr=2.0**-9, weight_decay=1.0, curvature=1e-4)
    w.grad = torch.ones_like(w)
    optimizer.step()
    # bfloat16 has 2^-8 below 1: neither half of the step alone would move it.
    assert w.tolist() == [1 - 2.0**-8] * 3


def test_parameters_of_several_dtypes_step_in_one_group_as_they_do_alone() -> None:
    dtypes = [torch.float32, torch.bfloat16, torch.float64]
    together = [parameters([(3, 4)], dtype)[0] for dtype in dtypes]
    train(together, 8)
    for dtype, found in zip(dtypes, together, strict=True):
        alone = parameters([(3, 4)], dtype)
        train(alone, 8)
        assert torch.equal(alone[0], found)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_parameters_have_float32_averages_of_full_precision(dtype: torch.dtype) -> None:
    found, reference = parameters([(4, 3)], dtype), parameters([(4, 3)], torch.float64)
    optimizer, exact = Sophia(found, lr=0.01), Sophia(reference, lr=0.01)
    for step in range(20):
        g = gradient(found[0], step)
        for each, into in ((optimizer, found), (exact, reference)):
            if each.estimate_due:
                each.update_hessian([curvature(found[0], step)])
            into[0].grad = g.to(into[0].dtype)
            each.step()
    for key in ("momentum", "hessian"):
        average = optimizer.state[found[0]][key]
        assert average.dtype == torch.float32
        torch.testing.assert_close(
            average.double(), exact.state[reference[0]][key].double(), rtol=1e-5, atol=1e-7
        )


def test_many_large_tensors_step_as_each_does_alone() -> None:
    shapes = [(300, 100), (5,), (700, 100), (200, 200)]
    together = parameters(shapes)
    twins = [nn.Parameter(each.detach().clone()) for each in together]
    train(together, 4)
    for found, twin in zip(together, twins, strict=True):
        train([twin], 4)
        assert torch.equal(found, twin)


def test_no_coordinate_moves_further_than_the_learning_rate() -> None:
    found = parameters([(50,)])
    before = found[0].detach().clone()
    optimizer = train(found, 1, lr=0.01, gamma=0.1)
    moved = (found[0].detach() - before).abs()
    assert moved.max() <= 0.01 * (1 + 1e-4)
    assert 0 < optimizer.win_rate() < 1
    assert optimizer.win_rate() == pytest.approx(float((moved < 0.0099999).double().mean()))


def test_a_constant_curvature_needs_no_estimate_and_no_memory_for_one() -> None:
    found = parameters([(6,)], torch.float64)
    w = found[0].detach().clone()
    optimizer = Sophia(found, lr=0.1, gamma=0.01, betas=(0.9, 0.99), bias_correction=False, curvature=50.0)
    m = torch.zeros_like(w)
    for step in range(5):
        assert not optimizer.estimate_due
        found[0].grad = gradient(found[0], step)
        m = 0.9 * m + 0.1 * found[0].grad
        w = w - 0.1 * (m / 0.5).clamp(-1, 1)
        optimizer.step()
    torch.testing.assert_close(found[0].detach(), w)
    assert set(optimizer.state[found[0]]) == {"step", "momentum"}
    assert optimizer.win_rate() == float(((m / 0.5).abs() < 1).double().mean())


def test_estimates_are_due_every_so_many_steps_and_at_first_as_often_as_asked() -> None:
    def due(steps: int, **options: Any) -> list[int]:
        found = parameters([(2,)])
        optimizer, at = Sophia(found, **options), []
        for step in range(steps):
            if optimizer.estimate_due:
                at.append(step)
                optimizer.update_hessian([curvature(found[0], step)])
            found[0].grad = gradient(found[0], step)
            optimizer.step()
        return at

    assert due(50, every=10, early_estimates=False) == [0, 10, 20, 30, 40]
    assert due(50, every=10) == [0, 1, 3, 7, 15, 25, 35, 45]
    assert due(5, every=1) == [0, 1, 2, 3, 4]


def test_an_estimate_weighs_as_much_as_the_steps_since_the_last_one() -> None:
    found = parameters([(3,)], torch.float64)
    optimizer = Sophia(found, every=10, betas=(0.96, 0.9))
    ones = torch.ones(3)
    optimizer.update_hessian([ones])
    for _ in range(5):
        found[0].grad = gradient(found[0], 0)
        optimizer.step()
    optimizer.update_hessian([3 * ones])
    half = 0.9**0.5
    first, second = half * 0.1, 1 - half
    expected = (first * 1 + second * 3) / (first + second)
    assert optimizer.hessian_norm() == pytest.approx(expected * math.sqrt(3), rel=1e-6)


def test_an_estimate_that_is_not_finite_is_left_out_and_stays_due(caplog: pytest.LogCaptureFixture) -> None:
    found = parameters([(3,), (2,)])
    optimizer = Sophia(found)
    optimizer.update_hessian([torch.ones(3), torch.ones(2)])
    before = optimizer.state_dict()["state"][0]["hessian"].clone()
    for _ in range(3):
        found[0].grad = gradient(found[0], 0)
        optimizer.step()
    assert not optimizer.update_hessian([torch.ones(3), torch.tensor([1.0, math.inf])])
    assert torch.equal(optimizer.state[found[0]]["hessian"], before)
    assert optimizer.estimate_due
    assert "not finite" in caplog.text


def test_win_rate_and_hessian_norm_are_unknown_before_there_is_any_and_known_per_group() -> None:
    one, other = parameters([(40,), (60,)])
    groups: list[dict[str, Any]] = [{"params": [one]}, {"params": [other], "gamma": 1e6}]
    optimizer = Sophia(groups, gamma=0.1)
    assert math.isnan(optimizer.win_rate())
    assert math.isnan(optimizer.hessian_norm())
    optimizer.update_hessian([torch.ones(40), torch.ones(60)])
    one.grad, other.grad = gradient(one, 0), gradient(other, 0)
    optimizer.step()
    rates = [optimizer.win_rate(group["params"]) for group in optimizer.param_groups]
    assert rates[0] < 0.3
    assert rates[1] == 1.0
    assert optimizer.win_rate() == pytest.approx(0.4 * rates[0] + 0.6 * rates[1])
    assert optimizer.hessian_norm([one]) == pytest.approx(math.sqrt(40), rel=1e-4)


def test_a_closure_is_evaluated_with_gradients_and_its_loss_returned() -> None:
    found = parameters([(3,)])
    optimizer = Sophia(found, curvature=1.0)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = found[0].square().sum()
        loss.backward()
        return loss

    before = float(found[0].detach().square().sum())
    loss = optimizer.step(closure)
    assert float(loss) == pytest.approx(before)
    assert float(found[0].detach().square().sum()) < before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", 0.0), ("gamma", -1.0), ("gamma", math.nan), ("every", 0), ("every", -3), ("every", 2.5),
        ("eps", 0.0), ("lr", -1e-3), ("lr", torch.tensor(0.1)), ("weight_decay", -0.1), ("betas", (0.9, 1.0)),
        ("betas", (0.9,)), ("curvature", -1.0),
    ],
)  # fmt: skip
def test_an_option_out_of_its_range_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        Sophia(parameters([(2,)]), **{name: value})  # type: ignore[arg-type]


def test_an_option_of_a_group_is_checked_too() -> None:
    with pytest.raises(ValueError, match=r"^gamma: "):
        Sophia([{"params": parameters([(2,)]), "gamma": 0}])


def test_complex_parameters_and_sparse_gradients_are_refused() -> None:
    with pytest.raises(ValueError, match="complex"):
        Sophia([nn.Parameter(torch.ones(2, dtype=torch.complex64))])
    embedding = nn.Embedding(4, 2, sparse=True)
    optimizer = Sophia(embedding.parameters(), curvature=1.0)
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(ValueError, match="sparse=False"):
        optimizer.step()


def test_steps_without_any_estimate_end_in_an_error_and_not_in_sign_descent() -> None:
    found = parameters([(3,)])
    before = found[0].detach().clone()
    optimizer = Sophia(found, every=4)
    found[0].grad = gradient(found[0], 0)
    for _ in range(4):
        optimizer.step()
    assert torch.equal(found[0].detach(), before)
    with pytest.raises(ValueError, match=r"4 steps without a curvature estimate.*update_hessian"):
        optimizer.step()


def test_an_estimate_that_does_not_fit_the_parameters_is_refused() -> None:
    optimizer = Sophia(parameters([(3,), (2,)]))
    with pytest.raises(ValueError, match="1 curvature tensors for 2 parameters"):
        optimizer.update_hessian([torch.ones(3)])
    with pytest.raises(ValueError, match=r"curvature tensor 1 has shape \(3,\), its parameter \(2,\)"):
        optimizer.update_hessian([torch.ones(3), torch.ones(3)])
