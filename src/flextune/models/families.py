"""What the linear modules of a decoder block are called, by family of models.

The names are those of transformers' modelling files.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What each named set covers, in terms of a decoder block's roles.
SETS: dict[str, tuple[str, ...]] = {
    "attention": ("q", "v"),
    "standard": ("q", "v", "up", "down"),
    "mlp": ("gate", "up", "down"),
    "all": ("q", "k", "v", "o", "gate", "up", "down"),
}

#: Stacked weights of a mixture's experts by role, in every family.
EXPERT_NAMES: dict[str, tuple[str, ...]] = {
    "gate": ("gate_up_proj", "gate_proj"),
    "up": ("gate_up_proj", "up_proj"),
    "down": ("down_proj",),
}

# A role without an entry does not exist there (an ungated MLP has no gate); a fused projection stands for
# each of its roles. Where a role has several names, those that a model has are meant.
Names = Mapping[str, str | tuple[str, ...]]

_LLAMA: Names = {role: f"{role}_proj" for role in SETS["all"]}
_UNGATED: Names = {role: name for role, name in _LLAMA.items() if role != "gate"}
_SPLIT = {role: f"{role}_proj" for role in "qkv"}
_FUSED_MLP: Names = {**_LLAMA, **dict.fromkeys(("gate", "up"), "gate_up_proj")}
_FUSED_BLOOM: Names = {
    **dict.fromkeys("qkv", "query_key_value"),
    "o": "dense",
    "up": "dense_h_to_4h",
    "down": "dense_4h_to_h",
}
_FUSED_GPT2: Names = {
    **dict.fromkeys("qkv", "c_attn"),
    "o": "attn.c_proj",
    "up": "c_fc",
    "down": "mlp.c_proj",
}
_OPT: Names = {**_SPLIT, "o": "out_proj", "up": "fc1", "down": "fc2"}
# Multi-head latent attention: queries, keys and values come from compressed vectors.
_LATENT: Names = {
    **_LLAMA,
    "q": ("q_proj", "q_a_proj", "q_b_proj"),
    **dict.fromkeys("kv", ("kv_a_proj_with_mqa", "kv_b_proj")),
}
_LFM2: Names = {**_SPLIT, "o": "self_attn.out_proj", "gate": "w1", "up": "w3", "down": "w2"}
_GRANITE_SHARED: Names = {
    **_LLAMA,
    **dict.fromkeys(("gate", "up"), "shared_mlp.input_linear"),
    "down": "shared_mlp.output_linear",
}

#: Names by ``config.model_type``, where they are not Llama's.
_NAMES: dict[str, Names] = {
    "apertus": _UNGATED,
    "arcee": _UNGATED,
    "axk1": _LATENT,
    "biogpt": _OPT,
    "bloom": _FUSED_BLOOM,
    "codegen": {**dict.fromkeys("qkv", "qkv_proj"), "o": "out_proj", "up": "fc_in", "down": "fc_out"},
    "deepseek_v2": _LATENT,
    "deepseek_v3": _LATENT,
    "deepseek_v32": _LATENT,
    "falcon": _FUSED_BLOOM,
    "glm": _FUSED_MLP,
    "glm4": _FUSED_MLP,
    "glm4_moe_lite": _LATENT,
    "glm_moe_dsa": _LATENT,
    "gpt2": _FUSED_GPT2,
    "gpt_bigcode": _FUSED_GPT2,
    "gpt_neo": {**_SPLIT, "o": "out_proj", "up": "c_fc", "down": "c_proj"},
    "gpt_neox": _FUSED_BLOOM,
    "gpt_neox_japanese": _FUSED_BLOOM,
    "gptj": {**_SPLIT, "o": "out_proj", "up": "fc_in", "down": "fc_out"},
    "granitemoehybrid": _GRANITE_SHARED,
    "granitemoeshared": _GRANITE_SHARED,
    "jais2": _UNGATED,
    "lfm2": _LFM2,
    "lfm2_moe": _LFM2,
    "longcat_flash": _LATENT,
    "minicpm3": _LATENT,
    "mpt": {**dict.fromkeys("qkv", "Wqkv"), "o": "out_proj", "up": "up_proj", "down": "down_proj"},
    "nanochat": {**_SPLIT, "o": "o_proj", "up": "fc1", "down": "fc2"},
    "nemotron": _UNGATED,
    "nemotron_h": _UNGATED,
    "openai-gpt": _FUSED_GPT2,
    "opt": _OPT,
    "persimmon": _FUSED_BLOOM,
    "phi": {**_SPLIT, "o": "dense", "up": "fc1", "down": "fc2"},
    "phi3": {**_FUSED_MLP, **dict.fromkeys("qkv", "qkv_proj")},
    "starcoder2": {**_SPLIT, "o": "o_proj", "up": "c_fc", "down": "c_proj"},
    "xglm": _OPT,
    "youtu": _LATENT,
}


def linear_names(model_type: str, role: str) -> tuple[str, ...]:
    """What the linear modules of a role are called; empty where the family has no such role."""
    names = _NAMES.get(model_type, _LLAMA).get(role, ())
    return (names,) if isinstance(names, str) else names
