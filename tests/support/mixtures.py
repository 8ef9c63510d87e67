"""Small random mixtures of experts, of many families."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from flextune.config import AdapterConfig
from flextune.models.load import LoadedModel

SMALL = {
    "vocab_size": 64,
    "hidden_size": 16,
    "intermediate_size": 24,
    "moe_intermediate_size": 24,
    "shared_expert_intermediate_size": 20,
    "shared_intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 2,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "q_lora_rank": 8,
    "kv_lora_rank": 8,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 4,
    "v_head_dim": 8,
    "linear_num_value_heads": 2,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 1,
}
OTHER: dict[str, dict[str, Any]] = {"deepseek_v3": {"head_dim": 4}, "qwen3_next": {"num_hidden_layers": 4}}

MLP = AdapterConfig(rank=2, alpha=4, dropout=0, targets="mlp")


def config_of(kind: str, **changes: Any) -> Any:
    known = AutoConfig.for_model(kind)
    options = {key: value for key, value in SMALL.items() if hasattr(known, key)}
    return AutoConfig.for_model(kind, **{**options, **OTHER.get(kind, {}), **changes})


def loaded_of(kind: str, tokenizer: Any = None, **changes: Any) -> LoadedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config_of(kind, **changes))
        model.eval().requires_grad_(False)
        for parameter in model.parameters():
            if parameter.ndim == 3:  # some families leave them without values
                parameter.data = 0.02 * torch.randn(parameter.shape)
    return LoadedModel(model, tokenizer, kind, "")
