"""A loss in pieces is the loss of all logits at once, and so are its gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tests.support.engine import recipe, tensors, train
from tests.support.tiny import tiny_config
from tests.support.trainings import lines
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

from flextune.config import AdapterConfig, optimizer
from flextune.models.adapters import attach_adapter
from flextune.models.load import LoadedModel
from flextune.training import pieces, trainer
from flextune.training.counted import counted_loss

TOKENS, WIDTH, WORDS = 23, 16, 300


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of seven tokens."""
    monkeypatch.setattr(pieces, "ON_CPU", 7 * WORDS)


def asked(dtype: torch.dtype, bias: bool) -> tuple[torch.Tensor, nn.Linear, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    head = nn.Linear(WIDTH, WORDS, bias=bias, dtype=dtype).requires_grad_(False)
    for parameter in head.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    hidden = torch.randn(TOKENS, WIDTH, generator=generator).to(dtype).requires_grad_()
    targets = torch.randint(0, WORDS, (TOKENS,), generator=generator)
    targets[[0, 8, 22]] = -100
    return hidden, head, targets


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_sum_and_gradient_are_those_of_all_logits(
    small_pieces: None, dtype: torch.dtype, close: float, bias: bool
) -> None:
    hidden, head, targets = asked(dtype, bias)
    (0.1 * pieces.summed_loss(hidden, head, targets)).backward()
    gradient, hidden.grad = hidden.grad, None
    assert gradient is not None
    expected = nn.functional.cross_entropy(head(hidden).float(), targets, reduction="sum")
    (0.1 * expected).backward()
    total = pieces.summed_loss(hidden, head, targets)
    assert total.dtype == torch.float32
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(gradient, hidden.grad, rtol=close, atol=close)
    assert not gradient[targets == -100].any()


def test_nothing_that_counts_is_a_sum_of_zero(small_pieces: None) -> None:
    hidden, head, _ = asked(torch.float32, False)
    total = pieces.summed_loss(hidden, head, torch.full((TOKENS,), -100))
    total.backward()
    assert total.item() == 0
    assert hidden.grad is not None
    assert not hidden.grad.any()


def model_of(kind: str, **changes: Any) -> Any:
    names = ("num_hidden_layers", "n_layer")
    config = AutoConfig.for_model(kind, vocab_size=258, bos_token_id=0, eos_token_id=1, pad_token_id=0)
    for name, value in {
        **dict.fromkeys(names, 1),
        "hidden_size": 16,
        "intermediate_size": 24,
        **changes,
    }.items():
        if hasattr(config, name):
            setattr(config, name, value)
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)


@pytest.mark.parametrize(
    ("kind", "changes", "usable"),
    [
        ("llama", {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}, True),
        ("gpt2", {"n_embd": 16, "n_head": 2}, True),
        ("phi", {"num_attention_heads": 2, "num_key_value_heads": 2}, True),
        # A factor before the layer is the same as one behind it.
        ("granite", {"num_attention_heads": 2, "num_key_value_heads": 2, "logits_scaling": 4.0}, True),
        ("gemma2", {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}, False),
    ],
)
def test_which_models_end_in_their_output_layer(kind: str, changes: dict[str, Any], usable: bool) -> None:
    model = model_of(kind, **changes)
    # Small logits would hide a cap.
    model.get_output_embeddings().weight.mul_(100)
    before = torch.get_rng_state()
    head = pieces.plain_head(model)
    assert head is (model.get_output_embeddings() if usable else None)
    assert torch.equal(torch.get_rng_state(), before)
    assert "forward" not in vars(model.get_output_embeddings())


def test_a_layer_that_trains_or_has_an_adapter_gets_its_own_gradient(loaded: LoadedModel) -> None:
    assert pieces.plain_head(attach_adapter(loaded, AdapterConfig(targets="all"), seed=0)) is not None
    whole = AutoModelForCausalLM.from_config(tiny_config())
    assert pieces.plain_head(whole) is None
    assert pieces.plain_head(get_peft_model(whole, LoraConfig(target_modules=["lm_head"]))) is None


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"batches": "padding_free"}, {"mixed_precision": "bfloat16"}])
def test_a_training_in_pieces_is_the_training_with_all_logits(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    whole = train(loaded, tmp_path / "whole", train=recipe(logging_steps=1, **options))
    monkeypatch.setattr(pieces, "ON_CPU", 5 * 258)

    def refused(*args: Any) -> None:
        raise AssertionError("all logits at once")

    monkeypatch.setattr(trainer, "counted_loss", refused)
    cut = train(loaded, tmp_path / "cut", train=recipe(logging_steps=1, **options))
    close = 2e-2 if options.get("mixed_precision") else 1e-5
    for key, tensor in tensors(whole).items():
        torch.testing.assert_close(tensors(cut)[key], tensor, rtol=close, atol=close)
    for one, other in zip(lines(whole), lines(cut), strict=True):
        assert one == pytest.approx(other, rel=100 * close)


@pytest.mark.slow
def test_estimates_of_the_curvature_see_all_logits(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"train": recipe(max_steps=3, logging_steps=1), "optimizer": optimizer("sophia")}
    whole = train(loaded, tmp_path / "whole", **short)
    monkeypatch.setattr(pieces, "ON_CPU", 5 * 258)
    cut = train(loaded, tmp_path / "cut", **short)
    for key, tensor in tensors(whole).items():
        torch.testing.assert_close(tensors(cut)[key], tensor, rtol=1e-4, atol=1e-5)


def test_few_logits_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, head, targets = asked(torch.float32, False)
    monkeypatch.setattr(pieces, "ON_CPU", 4 * WORDS)
    most = 0
    linear = nn.functional.linear

    def watched(*args: Any) -> torch.Tensor:
        nonlocal most
        made: torch.Tensor = linear(*args)
        most = max(most, made.numel())
        return made

    monkeypatch.setattr(nn.functional, "linear", watched)
    pieces.summed_loss(hidden, head, targets).backward()
    assert most == 4 * WORDS


def test_a_loss_of_counted_positions_is_a_mean(small_pieces: None) -> None:
    hidden, head, targets = asked(torch.float32, False)
    labels = torch.cat([torch.tensor([-100]), targets])[None]
    mean = counted_loss(head(hidden)[None], labels, torch.arange(TOKENS))
    total = pieces.summed_loss(hidden, head, targets)
    assert mean.item() == pytest.approx(total.item() / 20, rel=1e-6)
