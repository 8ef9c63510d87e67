"""Small base models of several architectures with adapters, merged right and wrong, and what is exact."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tests.support.mixtures import config_of
from tests.support.tiny import tiny_tokenizer
from transformers import AutoModelForCausalLM

from flextune.audit.merging.faults import Fault, weight_faults
from flextune.audit.merging.weights import WeightAudit, audit_weights
from flextune.models.merging.adapted import AdaptedFiles, open_adapted
from flextune.models.merging.checkpoint import open_checkpoint
from flextune.models.merging.folder import write_merged
from flextune.models.merging.parameters import ModelFiles
from flextune.progress import Silent

#: Modules and stacked parameters that get an adapter.
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {"target_modules": ["q_proj", "v_proj", "up_proj", "down_proj"]},
    "gpt2": {"target_modules": ["c_attn", "c_fc", "c_proj"], "fan_in_fan_out": True},
    "gpt_neox": {"target_modules": ["query_key_value", "dense_h_to_4h"]},
    "qwen2": {"target_modules": ["k_proj", "gate_proj", "down_proj"]},
    "gemma": {"target_modules": ["o_proj", "up_proj"]},
    "mixtral": {
        "target_modules": ["q_proj"],
        "target_parameters": ["experts.gate_up_proj", "experts.down_proj"],
    },
}
RANK, ALPHA = 2, 6


@dataclass(frozen=True)
class Merge:
    """A base model's folder and an adapter's."""

    base: Path
    adapter: Path

    def opened(self, **options: Any) -> AdaptedFiles:
        return open_adapted("base", self.base, self.adapter, **options)

    def written(self, folder: Path, dtype: torch.dtype | None = None, **options: Any) -> Path:
        write_merged(self.opened(), folder, dtype=dtype, **options)
        return folder

    def audit(self, merged: Path, **options: Any) -> tuple[WeightAudit, list[Fault]]:
        model = self.opened(**options)
        files = ModelFiles(open_checkpoint(merged), model.skeleton)
        audit = audit_weights(model, files, Silent())
        return audit, weight_faults(audit, model, files)


def base_folder(kind: str, folder: Path, dtype: torch.dtype = torch.bfloat16, **changes: Any) -> Path:
    """A random model, saved with a tokenizer."""
    shard = changes.pop("max_shard_size", "5GB")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config_of(kind, vocab_size=258, **changes))
        for parameter in model.parameters():
            if parameter.ndim == 3:  # some families leave them without values
                parameter.data = 0.02 * torch.randn(parameter.shape)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def adapter_folder(base: Path, folder: Path, size: float = 0.1, **options: Any) -> Path:
    """A LoRA adapter whose B has entries of about ``size``."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = LoraConfig(**{"r": RANK, "lora_alpha": ALPHA, "task_type": "CAUSAL_LM", **options})
    generator = torch.Generator().manual_seed(3)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        attached: Any = get_peft_model(model, config)
        for name, parameter in attached.named_parameters():
            if "lora_B" in name:
                parameter.data = size * torch.randn(parameter.shape, generator=generator)
        attached.save_pretrained(folder, save_embedding_layers=False)
    return folder


def merge_of(kind: str, folder: Path, size: float = 0.1, **changes: Any) -> Merge:
    """An architecture's base model and adapter."""
    base = base_folder(kind, folder / "base", **changes)
    return Merge(base, adapter_folder(base, folder / "adapter", size, **ARCHITECTURES[kind]))


def plain(folder: Path, adapter: Path | None = None, dtype: torch.dtype = torch.float32) -> Any:
    """What plain transformers, and plain PEFT, load."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    if adapter is None:
        return model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PeftModel.from_pretrained(model, adapter, autocast_adapter_dtype=False).to(dtype).eval()


def exact_updates(merge: Merge) -> Iterator[tuple[str, np.ndarray]]:
    """Parameters to updates, in float64, from the adapter's tensors alone."""
    config = json.loads((merge.adapter / "adapter_config.json").read_text())
    tensors = {
        name: tensor.double().numpy()
        for name, tensor in load_file(merge.adapter / "adapter_model.safetensors").items()
    }
    scale, rank = config["lora_alpha"] / config["r"], config["r"]
    for name, a in tensors.items():
        if ".lora_A." not in name:
            continue
        b = tensors[name.replace(".lora_A.", ".lora_B.")]
        module = name.removeprefix("base_model.model.").partition(".lora_A.")[0]
        experts = a.shape[0] // rank
        if experts == 1:
            update = scale * b @ a
            yield f"{module}.weight", update.T if config["fan_in_fan_out"] else update
            continue
        # The wrapper of gate_up_proj is inside that of down_proj.
        owner, _, inner = module.partition(".base_layer")
        part = "gate_up_proj" if inner or module.endswith("base_layer") else "down_proj"
        stack = b.reshape(b.shape[0], rank, experts)
        each = [scale * stack[:, :, e] @ a[e * rank : (e + 1) * rank] for e in range(experts)]
        yield f"{owner}.{part}", np.stack(each)


def changed(
    merge: Merge, folder: Path, change: Callable[[str, torch.Tensor, torch.Tensor], torch.Tensor]
) -> Path:
    """A merge that another tool made wrong: ``change(name, base weights, update)`` gives the merged ones."""
    merge.written(folder)
    updates = dict(exact_updates(merge))
    state = load_file(folder / "model.safetensors")
    base = load_file(merge.base / "model.safetensors")
    for name, update in updates.items():
        wrong = change(name, base[name].double(), torch.from_numpy(np.ascontiguousarray(update)))
        state[name] = wrong.to(state[name].dtype).contiguous()
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_gguf(file: Path, folder: Path, *, packed: bool = False) -> Path:
    """A small Llama's folder as llama.cpp's converter has it: matrices in float16, or in eight bits."""
    import gguf

    model = plain(folder)
    config = model.config
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_token_list([str(number) for number in range(config.vocab_size)])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, tensor in model.state_dict().items():
        kind = next((count for part, count in heads.items() if part in name), None)
        if kind:  # llama.cpp keeps both halves of each rotation side by side
            rows = tensor.shape[0] // kind // 2
            tensor = tensor.reshape(kind, 2, rows, -1).swapaxes(1, 2).reshape(tensor.shape)
        array, theirs = tensor.contiguous().numpy(), str(names.get_name(name, (".weight",)))
        if tensor.ndim == 1:
            writer.add_tensor(theirs, array)
        elif packed and tensor.shape[-1] % 32 == 0:
            eight = gguf.quants.quantize(array, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(theirs, eight, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(theirs, array.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
