from __future__ import annotations

import pytest

from flextune.lora_names import (
    LoraName,
    adapted_module,
    layer_of,
    lora_factor,
    module_places,
    parse_lora_name,
    shortest_end,
)

UP = "base_model.model.model.layers.3.mlp.up_proj"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (f"{UP}.lora_A.weight", LoraName(UP, "A", "matrix", "default")),
        (f"{UP}.lora_B.default.weight", LoraName(UP, "B", "matrix", "default")),
        (f"{UP}.lora_B.second.weight", LoraName(UP, "B", "matrix", "second")),
        (f"{UP}.lora_B.bias", LoraName(UP, "B", "bias", "default")),
        (f"{UP}.lora_B.second.bias", LoraName(UP, "B", "bias", "second")),
        (f"{UP}.lora_embedding_A", LoraName(UP, "A", "embedding", "default")),
        (f"{UP}.lora_embedding_B.second", LoraName(UP, "B", "embedding", "second")),
        (f"{UP}.lora_magnitude_vector", LoraName(UP, None, "magnitude", "default")),
        (f"{UP}.lora_magnitude_vector.second.weight", LoraName(UP, None, "magnitude", "second")),
        (f"{UP}.lora_E", LoraName(UP, None, "other", "default")),
        ("lora_A.weight", LoraName("", "A", "matrix", "default")),
        (f"{UP}.weight", None),
        ("model.lora_layers.0.weight", None),
    ],
)
def test_a_name_has_these_parts(name: str, parts: LoraName | None) -> None:
    assert parse_lora_name(name) == parts


@pytest.mark.parametrize(
    ("name", "module"),
    [
        (f"{UP}.lora_A.weight", "model.layers.3.mlp.up_proj"),
        ("base_model.model.lm_head.base_layer.weight", "lm_head"),
        ("base_model.model.m.experts.base_layer.base_layer.lora_A.weight", "m.experts"),
        ("base_model.model.model.norm.weight", "model.norm"),
        ("base_model.model.lm_head.modules_to_save.default.weight", "lm_head"),
        ("m.embed_tokens.original_module.weight", "m.embed_tokens"),
        ("m.embed_tokens.token_adapter.trainable_tokens_delta", "m.embed_tokens"),
        ("m.q_proj.ia3_l", "m.q_proj"),
        ("weight", "weight"),
    ],
)
def test_a_tensor_belongs_to_this_module(name: str, module: str) -> None:
    assert adapted_module(name) == module


def test_a_factor_is_known_inside_a_trainers_wrappers() -> None:
    assert lora_factor("_fsdp_wrapped_module.q.lora_B.default._fsdp_wrapped_module.weight") == "B"
    assert lora_factor("q.lora_embedding_A.default") == "A"
    assert lora_factor("q.lora_magnitude_vector.default.weight") is None


def test_the_layer_is_the_first_number() -> None:
    assert [layer_of(name) for name in ("h.11.experts.7.up", "score", "layers.x2.4")] == [11, None, 4]


def test_the_shortest_end_is_as_long_as_a_likeness_asks() -> None:
    everyone = [("a", "x", "c"), ("b", "x", "c"), ("d",)]
    ends = [shortest_end(parts, everyone) for parts in everyone]
    assert ends == [("a", "x", "c"), ("b", "x", "c"), ("d",)]
    assert shortest_end(("a", "b"), [("a", "b"), ("a", "c")]) == ("b",)


def test_types_are_told_apart_by_as_little_as_needed() -> None:
    assert module_places(
        [
            "transformer.h.0.attn.c_proj",
            "transformer.h.11.mlp.c_proj",
            "transformer.h.11.mlp.c_fc",
            "model.layers.3.experts.7.up_proj",
            "score",
        ]
    ) == {
        "transformer.h.0.attn.c_proj": (0, "attn.c_proj"),
        "transformer.h.11.mlp.c_proj": (11, "mlp.c_proj"),
        "transformer.h.11.mlp.c_fc": (11, "c_fc"),
        "model.layers.3.experts.7.up_proj": (3, "up_proj"),
        "score": (None, "score"),
    }
