"""A small GGUF file, written tensor by tensor from a model that is known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
ENDS = ("<|endoftext|>", "<|im_end|>")


def small_qwen() -> Any:
    """A random Qwen2 of two layers; its head is its embeddings."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=128,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Qwen2ForCausalLM(config).eval()


def write_gguf(path: Path, model: Any, *, architecture: str = "qwen2", head_noise: float = 0.0) -> Path:
    """The model as a GGUF file, in float32; its head stands in the file on its own, as converters write it.

    Args:
        path: Where.
        model: From ``small_qwen``.
        architecture: What the file says it is.
        head_noise: Standard deviation of what the head differs by, of the embeddings' own.
    """
    from gguf import GGUFWriter

    config = model.config
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    _add_tokenizer(writer)
    embeddings = model.get_input_embeddings().weight.detach()
    noise = torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(1))
    writer.add_tensor("token_embd.weight", embeddings.numpy())
    writer.add_tensor("output.weight", (embeddings + head_noise * embeddings.std() * noise).numpy())
    writer.add_tensor("output_norm.weight", model.model.norm.weight.detach().numpy())
    for name, parameter in model.model.layers.named_parameters():
        layer, _, rest = name.partition(".")
        module, _, kind = rest.rpartition(".")
        writer.add_tensor(f"blk.{layer}.{NAMES[module]}.{kind}", parameter.detach().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_adapter_gguf(path: Path, folder: Path) -> Path:
    """A LoRA adapter of the model as a GGUF file, as llama.cpp reads it.

    Args:
        path: Where.
        folder: The PEFT folder; its modules are linear layers of ``NAMES``.
    """
    from gguf import GGUFWriter
    from safetensors.torch import load_file

    writer = GGUFWriter(path, "qwen2")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32(
        "adapter.lora.alpha", json.loads((folder / "adapter_config.json").read_text())["lora_alpha"]
    )
    for name, tensor in load_file(folder / "adapter_model.safetensors").items():
        layer, module, side = re.match(r".*\.layers\.(\d+)\.(.+)\.lora_([AB])\.weight", name).groups()
        writer.add_tensor(f"blk.{layer}.{NAMES[module]}.weight.lora_{side.lower()}", tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: Any) -> None:
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([*letters, "de", *ENDS])
    # 1: an ordinary token, 3: a special one.
    writer.add_token_types([1] * (len(letters) + 1) + [3] * len(ENDS))
    writer.add_token_merges(["d e"])
    # As such files do: one end of the two.
    writer.add_eos_token_id(len(letters) + 2)
