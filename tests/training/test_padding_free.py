"""Texts that share a row: none sees another, and the loss is that of one text at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.support.engine import EXAMPLES, recipe, tensors, train
from tests.support.tiny import tiny_config
from tests.support.trainings import batch, lines, model_with_adapter, rows

from flextune.config import KLConfig, TrainConfig, optimizer
from flextune.errors import FlextuneError
from flextune.models.encoding import IGNORED
from flextune.models.load import LoadedModel
from flextune.training.batches.choice import choose_batches
from flextune.training.batches.flat import FlatCollator
from flextune.training.batches.independence import what_mixes
from flextune.training.batches.order import PackedBatches
from flextune.training.batches.padded import COUNTED
from flextune.training.counted import counted_loss


def flat() -> dict[str, Any]:
    made = FlatCollator()(rows())
    del made[COUNTED]
    return made


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_no_text_sees_another(loaded: LoadedModel, attention: str) -> None:
    model = model_with_adapter(loaded).float().eval()
    model.set_attn_implementation(attention)
    with torch.no_grad():
        together = model(**flat()).logits[0]
        for row in rows():
            alone = model(input_ids=row["input_ids"][None]).logits[0]
            torch.testing.assert_close(together[: len(alone)], alone, rtol=1e-5, atol=1e-5)
            together = together[len(alone) :]
    assert not len(together)


def test_with_a_cache_they_would(loaded: LoadedModel) -> None:
    """What the collator's ``use_cache`` is for."""
    model = model_with_adapter(loaded).eval()
    with torch.no_grad():
        apart, mixed = model(**flat()).logits, model(**{**flat(), "use_cache": True}).logits
    assert (apart - mixed).abs().max() > 1e-3


def test_the_loss_at_counted_positions_is_the_padded_batch_s(loaded: LoadedModel) -> None:
    model = model_with_adapter(loaded)
    made = FlatCollator()(rows())
    positions = made.pop(COUNTED)
    labels = made.pop("labels")
    assert (labels[0, positions + 1] != IGNORED).all()
    logits = model(**made, logits_to_keep=positions).logits
    assert logits.shape[1] == len(positions) < labels.shape[1]
    loss = counted_loss(logits, labels, positions).item()
    # transformers computes its loss in float32.
    assert loss == pytest.approx(model(**batch()).loss.item(), rel=1e-6)


@pytest.mark.slow
def test_a_training_without_padding_is_the_training_with_one_text_at_a_time(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    """Without dropout, whose draws follow the batch's shape; batches of one text have no padding at all."""
    quiet = {"adapter": {"rank": 2, "targets": "all", "dropout": 0}}
    ways: dict[str, dict[str, Any]] = {
        "padded": {"batches": "padded"},
        "free": {"batches": "padding_free"},
        "single": {"batches": "padded", "batch_size": 1, "gradient_accumulation_steps": 22, "max_steps": 3},
        "whole": {"batches": "padding_free", "batch_size": 22, "max_steps": 3},
    }
    found = {
        name: train(loaded, tmp_path / name, **quiet, train=recipe(logging_steps=1, **options))
        for name, options in ways.items()
    }
    for one, other in (("padded", "free"), ("single", "whole")):
        for key, tensor in tensors(found[one]).items():
            torch.testing.assert_close(tensors(found[other])[key], tensor, rtol=1e-4, atol=1e-5)
        for first, second in zip(lines(found[one]), lines(found[other]), strict=True):
            assert first == pytest.approx(second, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adamw", "sophia"])
def test_sophia_and_divergence_take_such_batches(loaded: LoadedModel, tmp_path: Path, name: str) -> None:
    """The curvature's draws are one a counted token, in the same order in both kinds of batch."""
    short = {"max_steps": 3, "logging_steps": 1, "kl": KLConfig()}
    options = {"optimizer": optimizer(name), "adapter": {"rank": 2, "targets": "all", "dropout": 0}}
    found = {
        kind: train(loaded, tmp_path / kind, **options, train=recipe(batches=kind, **short))
        for kind in ("padded", "padding_free")
    }
    for one, other in zip(*map(lines, found.values()), strict=True):
        assert {k: v for k, v in one.items() if k != "estimate_share"} == pytest.approx(
            {k: v for k, v in other.items() if k != "estimate_share"}, rel=2e-3, abs=1e-6
        )


def test_packing_takes_fewer_steps_and_every_text(loaded: LoadedModel, tmp_path: Path) -> None:
    options = {"max_steps": None, "epochs": 2, "logging_steps": 1, "max_length": 32, "batches": "packed"}
    folder = train(loaded, tmp_path, train=recipe(**options))
    lengths = [min(len(e.prompt + e.completion) + 2, 32) for e in EXAMPLES]
    order = PackedBatches(lengths, 4 * 32, seed=0)
    assert len([line for line in lines(folder) if "loss" in line]) == 2 * len(order) < 2 * 6
    epochs = []
    for epoch in range(4):
        order.set_epoch(epoch)
        epochs.append(list(order))
        assert sorted(index for each in order for index in each) == list(range(len(lengths)))
        assert all(sum(lengths[i] for i in each) <= 4 * 32 for each in order)
    assert all(sorted(epoch) == sorted(epochs[0]) for epoch in epochs)
    assert any(epoch != epochs[0] for epoch in epochs)


def test_auto_is_padded_on_the_cpu_and_no_part_of_a_key(loaded: LoadedModel) -> None:
    from flextune.config import Recipe

    made = choose_batches(loaded.model, TrainConfig(), pad=1, computed=torch.float32)
    assert (made.kind, made.collate.counted) == ("padded", False)
    wordy = SimpleNamespace(
        device=torch.device("cpu"), config=tiny_config(vocab_size=32_000), forward=loaded.model.forward
    )
    assert choose_batches(wordy, TrainConfig(), pad=1, computed=torch.float32).collate.counted
    assert "batches" not in Recipe().given()["train"]
    assert Recipe(train=TrainConfig(batches="packed")).given()["train"] == {"batches": "packed"}


@pytest.mark.parametrize("kind", ["mamba", "bloom", "lfm2"])
def test_a_model_that_mixes_texts_is_refused_by_name(kind: str) -> None:
    """A recurrent model, one without positions, and one with convolutions between its attention layers."""
    model = small(kind)
    assert kind in (what_mixes(model, segments=False) or "")
    with pytest.raises(FlextuneError, match=f"train.batches: padding_free joins texts .* {kind} .*padded"):
        choose_batches(model, TrainConfig(batches="padding_free"), pad=1, computed=torch.float32)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "qwen2", "gemma2", "mistral"])
def test_a_model_that_keeps_texts_apart_is_not(kind: str) -> None:
    assert what_mixes(small(kind), segments=False) is None


def test_layers_that_carry_texts_are_found_by_trying_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every model lists the kinds of its layers."""
    monkeypatch.setattr("flextune.training.batches.independence.mixing_layers", lambda config: None)
    assert what_mixes(small("lfm2"), segments=False) == "lfm2 lets texts of a row see one another"


def small(kind: str) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    common = {"vocab_size": 97, "num_hidden_layers": 2}
    shapes: dict[str, dict[str, Any]] = {
        "mamba": {"hidden_size": 16, "state_size": 4},
        "bloom": {"hidden_size": 16, "n_head": 2, "n_layer": 2},
        "gpt2": {"n_embd": 16, "n_head": 2, "n_layer": 2, "n_positions": 64},
        "lfm2": {"full_attn_idxs": [1], "layer_types": ["conv", "full_attention"]},
        "gemma2": {"head_dim": 8, "sliding_window": 4},
        "mistral": {"sliding_window": 4},
    }
    llama = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 64,
    }
    options = (
        shapes.get(kind, {}) if kind in ("mamba", "bloom", "gpt2") else {**llama, **shapes.get(kind, {})}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **{**common, **options})).eval()
