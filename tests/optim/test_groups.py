"""LoRA factors by name."""

from __future__ import annotations

import pytest
from tests.optim.toys import lora
from tests.support.tiny import tiny_config

from flextune.optim import factor_groups


def test_peft_factors_are_told_apart_and_frozen_weights_left_out() -> None:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    config = peft.LoraConfig(
        r=2, target_modules=["q_proj", "embed_tokens"], modules_to_save=["norm"], use_dora=False
    )
    model = peft.get_peft_model(transformers.LlamaForCausalLM(tiny_config()), config)
    groups = {group["name"]: group["params"] for group in factor_groups(model)}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {group: [names[id(p)] for p in members] for group, members in groups.items()}
    assert set(found) == {"A", "B", "other"}
    assert len(found["A"]) == len(found["B"]) == 3
    assert all("lora_A" in name or "lora_embedding_A" in name for name in found["A"])
    assert all("modules_to_save" in name for name in found["other"])


def test_groups_that_would_be_empty_are_left_out() -> None:
    assert [group["name"] for group in factor_groups(lora())] == ["A", "B"]
