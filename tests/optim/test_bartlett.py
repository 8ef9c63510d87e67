"""Gauss-Newton-Bartlett against the exact Gauss-Newton diagonal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from tests.optim.toys import batch, gauss_newton_diagonal, mean_loss, network, predict, relative_error
from torch import Tensor
from torch.nn.functional import cross_entropy

from flextune.optim import GaussNewtonBartlett, Sophia, causal_tokens
from flextune.optim.estimator import IGNORED

DRAWS = 12_000


def copies(rows: Mapping[str, Tensor], times: int) -> list[Mapping[str, Tensor]]:
    """The same rows as so many micro-batches: so many draws of their labels."""
    return [rows] * times


def estimated(model: Any, batches: list[Mapping[str, Tensor]], **options: Any) -> list[Tensor]:
    estimator = GaussNewtonBartlett(model.parameters(), predict=predict, **options)
    for rows in batches:
        estimator.accumulate(model, rows)
    found = estimator.finish()
    assert found is not None
    return found


class TrueLabels(GaussNewtonBartlett):
    """The estimator with the data's labels in place of drawn ones: what must not pass for it."""

    def __init__(self, *args: Any, labels: Tensor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.labels = labels

    def _loss_on_drawn_labels(self, logits: Tensor) -> Tensor:
        return cross_entropy(logits, self.labels, reduction="sum")


@pytest.mark.slow
def test_the_mean_relative_error_is_under_two_percent_at_twelve_thousand_draws() -> None:
    model, rows = network(), batch(12, masked=4)
    exact = gauss_newton_diagonal(model, rows["x"][4:])
    assert relative_error(estimated(model, copies(rows, DRAWS)), exact) < 0.02


def test_true_labels_in_place_of_drawn_ones_miss_the_diagonal() -> None:
    model, rows = network(), batch(12, masked=4)
    exact = gauss_newton_diagonal(model, rows["x"][4:])
    wrong = TrueLabels(model.parameters(), predict=predict, labels=rows["labels"][4:])
    wrong.accumulate(model, rows)
    found = wrong.finish()
    assert found is not None
    assert relative_error(found, exact) > 0.2


@pytest.mark.slow
def test_micro_batches_of_unequal_counts_are_weighted_by_their_tokens() -> None:
    model = network()
    small, large = batch(4, masked=3, seed=1), batch(9, seed=2)
    counted = torch.cat([small["x"][3:], large["x"]])
    exact = gauss_newton_diagonal(model, counted)
    found = estimated(model, [*copies(small, DRAWS), *copies(large, DRAWS)])
    assert relative_error(found, exact) < 0.03
    plain = [
        (one + other) / 2
        for one, other in zip(
            gauss_newton_diagonal(model, small["x"][3:]),
            gauss_newton_diagonal(model, large["x"]),
            strict=True,
        )
    ]
    assert relative_error(plain, exact) > 0.1, "the plain average would not pass here"


def test_one_micro_batch_gives_the_published_product_of_tokens_and_squared_gradient() -> None:
    model, rows = network(), batch(10, masked=3)
    logits = model(rows["x"][3:])
    drawn = torch.multinomial(
        logits.detach().softmax(-1), 1, generator=torch.Generator().manual_seed(3)
    ).squeeze(1)
    gradients = torch.autograd.grad(cross_entropy(logits, drawn), list(model.parameters()))
    for found, gradient in zip(estimated(model, [rows], seed=3), gradients, strict=True):
        torch.testing.assert_close(found, 7 * gradient * gradient)


def test_the_estimate_leaves_gradients_and_the_global_generator_alone() -> None:
    model, rows = network(), batch(6)
    mean_loss(model, [rows]).backward()
    before = [parameter.grad for parameter in model.parameters()]
    values = [gradient.clone() for gradient in before if gradient is not None]
    position = torch.random.get_rng_state()
    estimated(model, [rows])
    after = [parameter.grad for parameter in model.parameters()]
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert all(
        other is not None and torch.equal(one, other) for one, other in zip(values, after, strict=True)
    )
    assert torch.equal(position, torch.random.get_rng_state())


def test_a_loss_scale_is_divided_out_of_the_estimate() -> None:
    model, rows = network(), batch(6)
    plain = estimated(model, [rows])
    estimator = GaussNewtonBartlett(model.parameters(), predict=predict)
    estimator.accumulate(model, rows, scale=2.0**16)
    found = estimator.finish()
    assert found is not None
    for one, other in zip(plain, found, strict=True):
        torch.testing.assert_close(one, other)


def test_an_overflow_of_the_loss_scale_makes_the_optimizer_leave_the_estimate_out() -> None:
    model, rows = network().half(), batch(6)
    rows["x"] = rows["x"].half()
    optimizer = Sophia(model.parameters())
    estimator = GaussNewtonBartlett(optimizer.param_groups, predict=predict)
    estimator.accumulate(model, rows, scale=2.0**40)
    assert not optimizer.update_hessian(estimator.finish())
    estimator.accumulate(model, rows, scale=2.0**8)
    assert optimizer.update_hessian(estimator.finish())


@pytest.mark.slow
def test_the_estimate_is_float32_and_near_the_exact_one_under_autocast() -> None:
    model, rows = network(), batch(12)
    with torch.autocast("cpu", torch.bfloat16):
        found = estimated(model, copies(rows, 3000))
    assert all(part.dtype == torch.float32 for part in found)
    assert relative_error(found, gauss_newton_diagonal(model, rows["x"])) < 0.06


def test_a_batch_whose_labels_are_all_masked_gives_no_estimate_and_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = network()
    optimizer = Sophia(model.parameters())
    estimator = GaussNewtonBartlett(optimizer.param_groups, predict=predict)
    for seed in range(3):
        estimator.accumulate(model, batch(4, masked=4, seed=seed))
        assert estimator.finish() is None
        assert not optimizer.update_hessian(None)
    assert optimizer.estimate_due
    assert caplog.text.count("every label of the batch is masked") == 1


def test_a_masked_micro_batch_among_others_changes_nothing() -> None:
    model, rows = network(), batch(6)
    alone = estimated(model, [rows])
    among = estimated(model, [batch(3, masked=3), rows, batch(5, masked=5)])
    assert all(torch.equal(one, other) for one, other in zip(alone, among, strict=True))


def test_parameters_that_the_loss_does_not_reach_have_zeros() -> None:
    model, unused = network(), torch.nn.Parameter(torch.ones(2, 3))
    estimator = GaussNewtonBartlett([unused, *model.parameters()], predict=predict)
    estimator.accumulate(model, batch(4))
    found = estimator.finish()
    assert found is not None
    assert torch.equal(found[0], torch.zeros(2, 3))
    assert all(part.abs().sum() > 0 for part in found[1:])


class Echo:
    """A causal model whose logits say which position they came from; records what it was called with."""

    def __call__(self, **inputs: Tensor) -> Any:
        assert "labels" not in inputs
        rows, length = inputs["input_ids"].shape
        positions = torch.arange(rows * length, dtype=torch.float32).view(rows, length, 1)
        return type("Output", (), {"logits": positions.expand(rows, length, 2)})


def test_causal_tokens_pair_each_label_with_the_logits_of_the_position_before() -> None:
    labels = torch.tensor([[5, IGNORED, 7, 8], [IGNORED, IGNORED, IGNORED, 9]])
    logits, found = causal_tokens(Echo(), {"input_ids": torch.zeros(2, 4), "labels": labels})
    assert found.tolist() == [7, 8, 9]
    assert logits[:, 0].tolist() == [1, 2, 6]
    with pytest.raises(ValueError, match=r"needs labels.*only input_ids"):
        causal_tokens(Echo(), {"input_ids": torch.zeros(2, 4)})


def test_averaged_gradients_need_to_know_the_other_processes() -> None:
    with pytest.raises(ValueError, match="averaged gradients need reduce"):
        GaussNewtonBartlett(network().parameters(), averaged=True)
    with pytest.raises(ValueError, match="no parameter"):
        GaussNewtonBartlett([])
