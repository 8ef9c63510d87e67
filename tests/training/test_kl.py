"""The divergence from the base model, against a calculation token by token in float64."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.trainings import batch, matrices, model_with_adapter, rows, train

from flextune.models.load import LoadedModel
from flextune.training.batches.padded import COMPARED, Collator
from flextune.training.kl import summed_divergence
from flextune.training.trainer import FlexTrainer

WEIGHT, RATE = 0.7, 0.05
SGD = {"optim": "sgd", "lr_scheduler_type": "constant", "learning_rate": RATE}


def by_token(logits: np.ndarray, base: np.ndarray, compared: np.ndarray) -> float:
    """KL(p || q) of every compared token's prediction, added up."""
    total = 0.0
    for text in range(logits.shape[0]):
        for token in range(1, logits.shape[1]):
            if compared[text, token]:
                p, q = (np.exp(x - x.max()) for x in (logits[text, token - 1], base[text, token - 1]))
                p, q = p / p.sum(), q / q.sum()
                total += float(np.sum(p * np.log(p / q)))
    return total


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.integers(2, 5), st.integers(2, 6), st.integers(0, 1000))
def test_sum_is_that_of_the_definition(texts: int, tokens: int, vocabulary: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits, base = (
        3 * torch.randn(texts, tokens, vocabulary, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    compared = torch.rand(texts, tokens, generator=generator) < 0.5
    expected = by_token(logits.numpy(), base.numpy(), compared.numpy())
    assert summed_divergence(logits, base, compared).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3), st.integers(2, 5), st.integers(3, 6), st.integers(0, 1000))
def test_without_targets_it_is_that_of_the_other_tokens(
    texts: int, tokens: int, vocabulary: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits, base = (
        3 * torch.randn(texts, tokens, vocabulary, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    ids = torch.randint(vocabulary, (texts, tokens), generator=generator)
    compared = torch.rand(texts, tokens, generator=generator) < 0.5
    expected = 0.0
    for text in range(texts):
        for token in range(1, tokens):
            others = np.arange(vocabulary) != int(ids[text, token])
            p, q = (x[text, token - 1].numpy()[others] for x in (logits, base))
            only = np.ones((1, 2), dtype=bool)
            ours, theirs = (np.stack([x, x])[None] for x in (p, q))
            expected += by_token(ours, theirs, only) if compared[text, token] else 0.0
    found = summed_divergence(logits, base, compared, ids)
    assert found.item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_what_the_target_gets_is_free() -> None:
    """More or less for the next token alone costs nothing, and no gradient is nan."""
    logits = torch.tensor([[[1.0, 2.0, -1.0], [0.0, 0.0, 0.0]]], requires_grad=True)
    base = torch.tensor([[[1.0, -7.0, -1.0], [0.0, 0.0, 0.0]]])
    found = summed_divergence(logits, base, torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, 1]]))
    found.backward()
    assert found.item() == pytest.approx(0.0, abs=1e-6)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0, 1] == 0


def test_half_precision_is_computed_in_float32() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, base = (torch.randn(1, 3, 50, generator=generator).bfloat16() for _ in range(2))
    compared = torch.ones(1, 3, dtype=torch.bool)
    expected = by_token(logits.double().numpy(), base.double().numpy(), compared.numpy())
    assert summed_divergence(logits, base, compared).item() == pytest.approx(expected, rel=1e-5)


def divergence(model: Any, base: Any, compare: str) -> torch.Tensor:
    """The mean over compared tokens of all rows, row by row, differentiable."""
    total, count = torch.zeros((), dtype=torch.float64), 0
    for row in rows(compare):
        ids = row["input_ids"][None]
        p = model(input_ids=ids).logits[0, :-1].softmax(-1)
        q = base(input_ids=ids).logits[0, :-1].softmax(-1).detach()
        chosen = row[COMPARED][1:]
        total = total + (p * (p / q).log()).sum(-1)[chosen].sum()
        count += int(chosen.sum())
    return total / count


def base_of(loaded: LoadedModel) -> Any:
    return copy.deepcopy(loaded.model).double()


@pytest.mark.parametrize("accumulation", [1, 4])
@pytest.mark.parametrize("compare", ["prompt", "all"])
def test_step_is_that_of_the_task_plus_the_divergence_by_hand(
    loaded: LoadedModel, tmp_path: Path, compare: str, accumulation: int
) -> None:
    base, expected = base_of(loaded), model_with_adapter(loaded)
    sizes = {"per_device_train_batch_size": 8 // accumulation, "gradient_accumulation_steps": accumulation}
    found = train(
        FlexTrainer,
        loaded,
        tmp_path,
        data=rows(compare),
        extra={"base": base, "kl": WEIGHT},
        **SGD,
        **sizes,
    )
    task, term = expected(**batch()).loss, WEIGHT * divergence(expected, base, compare)
    weights = matrices(expected)
    gradients = torch.autograd.grad(task + term, weights)
    for weight, gradient, moved in zip(weights, gradients, matrices(found.model), strict=True):
        torch.testing.assert_close(moved, weight - RATE * gradient, rtol=1e-6, atol=1e-9)
    line = found.state.log_history[0]
    assert line["kl"] == pytest.approx(term.item(), rel=1e-6)
    assert line["loss"] == pytest.approx(task.item(), rel=1e-6)
    assert term.item() > 0.001


@pytest.mark.slow
def test_means_per_micro_batch_change_nothing(loaded: LoadedModel, tmp_path: Path) -> None:
    """A model without token counts, whose loss the Trainer divides: the divergence stays one mean."""

    class Means(FlexTrainer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.model_accepts_loss_kwargs = False

    def moved(kl: float) -> list[torch.Tensor]:
        extra = {"base": base_of(loaded), "kl": kl}
        sizes = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
        found = train(Means, loaded, tmp_path / str(kl), data=rows("all"), extra=extra, **SGD, **sizes)
        return matrices(found.model)

    model = model_with_adapter(loaded)
    term = 100 * divergence(model, base_of(loaded), "all")
    gradients = torch.autograd.grad(term, matrices(model))
    assert RATE * max(gradient.abs().max() for gradient in gradients) > 1e-4
    for with_it, without, gradient in zip(moved(100.0), moved(0.0), gradients, strict=True):
        # Llama normalises in float32, whatever the weights are.
        torch.testing.assert_close(without - with_it, RATE * gradient, rtol=1e-4, atol=1e-7)


def test_validation_loss_and_base_model_are_free_of_it(loaded: LoadedModel, tmp_path: Path) -> None:
    base = base_of(loaded).requires_grad_()
    found = train(FlexTrainer, loaded, tmp_path, data=rows("all"), extra={"base": base, "kl": 50.0}, **SGD)
    assert all(parameter.grad is None for parameter in base.parameters())
    with torch.no_grad():
        expected = found.model.eval()(**batch()).loss.item()
    assert found.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-6)


def test_compared_tokens_are_the_prompts_or_all_and_never_padding() -> None:
    for compare in ("prompt", "all"):
        found = rows(compare)
        together = Collator(1)(found)
        for row, padded in zip(found, together[COMPARED], strict=True):
            prompt = row["labels"] == -100
            assert torch.equal(row[COMPARED], prompt if compare == "prompt" else torch.ones_like(prompt))
            assert not padded[len(prompt) :].any()
    assert COMPARED not in Collator(1)(rows())
