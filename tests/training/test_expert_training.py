"""Mixtures of experts from training to a merged model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.support.mixtures import MLP, loaded_of
from tests.support.peft_folders import logits
from tests.support.tiny import tiny_tokenizer

from flextune.config import PenaltyConfig, Recipe, TrainConfig
from flextune.models.adapters import load_adapter
from flextune.models.merging.memory import merge_adapter
from flextune.records import Example
from flextune.training.engine import train_adapter


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mixtral", "qwen3_next"])
def test_experts_train_with_a_penalty_and_come_back(kind: str, tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    loaded = loaded_of(kind, vocab_size=258, tokenizer=tokenizer)
    train_adapter(
        loaded,
        [Example(str(n), f"say {n}: ", "ab" * n) for n in range(1, 5)],
        [],
        Recipe(
            adapter=MLP,
            train=TrainConfig(epochs=1, batch_size=2, learning_rate=1e-2, max_length=32),
            penalty=PenaltyConfig(),
        ),
        tmp_path,
    )
    adapter = tmp_path / "adapter"
    parameters = json.loads((adapter / "adapter_config.json").read_text())["target_parameters"]
    assert parameters == sorted(parameters)
    trained = logits(load_adapter(loaded, adapter).model)
    assert not torch.equal(trained, logits(loaded.model))
    torch.testing.assert_close(logits(merge_adapter(loaded, adapter).model), trained, atol=1e-5, rtol=0)
