"""What servers refuse of an adapter, or get wrong, as its folder tells before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flextune.config import ServerKind
from flextune.errors import FlextuneError
from flextune.models.adapter_folder import open_adapter

#: vLLM's ``--max-lora-rank`` where nobody sets it, and the values that it takes.
VLLM_RANK = 16
_VLLM_RANKS = (16, 32, 64, 128, 256, 320, 512)

#: Settings of an adapter that change a layer's scale, and that a server does not read.
_SCALES = {
    "vllm": ("rank_pattern", "alpha_pattern"),
    "tgi": ("rank_pattern", "alpha_pattern"),
    "llama.cpp": ("alpha_pattern", "use_rslora"),
}

_INSTEAD = "merge it (flextune merge) and serve the merged folder as a model, or use generate.engine: local"


def check_folder(kind: ServerKind, folder: Path) -> None:
    """Refuse an adapter that a server of this kind cannot serve as it is.

    Raises:
        FlextuneError: Names the setting of the adapter, and what to do.
    """
    config = open_adapter(folder).config
    for reason in refused(kind, config):
        raise FlextuneError(f"{folder}: {reason}; {_INSTEAD}")


def refused(kind: ServerKind, config: Mapping[str, Any]) -> list[str]:
    """Why a server of this kind cannot serve an adapter with these settings; empty where it can.

    Args:
        kind: The server's.
        config: ``adapter_config.json``.
    """
    if kind == "openai":
        return []
    if kind == "transformers":
        return ["transformers serve has no adapters"]
    shown = {"vllm": "vLLM", "sglang": "SGLang", "llama.cpp": "llama.cpp", "tgi": "TGI"}[kind]
    reasons = []
    if (method := config.get("peft_type")) != "LORA":
        reasons.append(f"{shown} serves LoRA alone, and this is {method}")
    if config.get("use_dora"):
        reasons.append(f"{shown} does not serve DoRA (use_dora)")
    if config.get("modules_to_save"):
        names = ", ".join(map(str, config["modules_to_save"]))
        reasons.append(f"{shown} leaves out whole modules, and this has some (modules_to_save: {names})")
    if config.get("bias", "none") != "none":
        reasons.append(f"{shown} leaves out biases, and this has some (bias: {config['bias']})")
    for setting in _SCALES.get(kind, ()):
        if config.get(setting):
            reasons.append(f"{shown} would multiply some layers by another number (it passes over {setting})")
    return reasons


def largest_rank(config: Mapping[str, Any]) -> int:
    """Of all its layers."""
    pattern = config.get("rank_pattern") or {}
    return max([int(config.get("r") or 0), *map(int, pattern.values())])


def rank_flag(rank: int) -> str:
    """vLLM's flag for adapters of a rank; empty where it needs none."""
    if rank <= VLLM_RANK:
        return ""
    return f" --max-lora-rank {next((each for each in _VLLM_RANKS if each >= rank), rank)}"


def serve_command(kind: ServerKind, name: str, folder: Path | None) -> str:
    """How a server is started that has the adapter; empty where there is no one command."""
    where = str(folder) if folder is not None else "FOLDER"
    if kind == "vllm":
        rank = largest_rank(open_adapter(folder).config) if folder is not None else 0
        return f"vllm serve MODEL --enable-lora --lora-modules {name}={where}{rank_flag(rank)}"
    if kind == "sglang":
        return f"python -m sglang.launch_server --model-path MODEL --enable-lora --lora-paths {name}={where}"
    if kind == "llama.cpp":
        return f"llama-server -m MODEL.gguf --lora {name}.gguf (from convert_lora_to_gguf.py {where})"
    return ""
