"""What lies beside the weights of a model: configuration, tokenizer, chat template, generation settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flextune
from flextune.errors import FlextuneError
from flextune.files.objects import write_object
from flextune.files.whole import write_whole
from flextune.models.adapter_folder import adapter_identity
from flextune.models.merging.adapted import AdaptedFiles

if TYPE_CHECKING:
    import torch

#: What was merged, for whoever finds the folder later.
RECORD = "merge.json"

#: What is taken over from the base model's folder; not the index of its weights, nor what it says of itself.
_KEPT = ("*.json", "*.jinja", "*.model", "*.txt", "*.py", "LICENSE*", "NOTICE*")
_NOT_KEPT = ("*.index.json", RECORD)
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "chat_template.jinja",
    "chat_template.json",
)
_MORE_TEMPLATES = "additional_chat_templates"


def write_companions(model: AdaptedFiles, folder: Path, dtype: torch.dtype | None, *, untied: bool) -> None:
    """Everything of the merged model but its weights.

    The tokenizer (and the chat template) is the adapter's where its folder has one, for it was trained with
    that, and else the base model's.
    """
    base, adapter = model.files.checkpoint.folder, model.adapter.path
    for path in sorted({path for pattern in _KEPT for path in base.glob(pattern)}):
        if path.is_file() and not any(map(path.match, _NOT_KEPT)):
            shutil.copyfile(path, folder / path.name)
    tokenizer = tokenizer_folder(base, adapter)
    for name in _TOKENIZER:
        if tokenizer == adapter:
            (folder / name).unlink(missing_ok=True)
        if tokenizer is not None and (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, folder / name)
    if tokenizer is not None and (tokenizer / _MORE_TEMPLATES).is_dir():
        shutil.copytree(tokenizer / _MORE_TEMPLATES, folder / _MORE_TEMPLATES, dirs_exist_ok=True)
    _write_config(base, folder, dtype, untied)
    write_object(folder / RECORD, _record(model, dtype))
    write_whole(folder / "README.md", _card(model, dtype))


def tokenizer_folder(base: Path, adapter: Path) -> Path | None:
    """Where the tokenizer comes from; None where neither folder has one."""
    folders = (folder for folder in (adapter, base) if (folder / "tokenizer_config.json").is_file())
    return next(folders, base if any((base / name).is_file() for name in _TOKENIZER) else None)


def _write_config(base: Path, folder: Path, dtype: torch.dtype | None, untied: bool) -> None:
    file = base / "config.json"
    try:
        config: Any = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise FlextuneError(f"{file}: cannot be read ({error})") from None
    config.pop("quantization_config", None)
    text = config.get("text_config")
    for part in (config, *([text] if isinstance(text, dict) else [])):
        if dtype is not None:
            part.pop("torch_dtype", None)
            part["dtype"] = _name(dtype)
        if untied and (part is config or "tie_word_embeddings" in part):
            part["tie_word_embeddings"] = False
    write_object(folder / "config.json", config)


def _record(model: AdaptedFiles, dtype: torch.dtype | None) -> dict[str, Any]:
    return {
        "base_model": model.name,
        "adapter": model.adapter.path.name,
        "adapter_identity": adapter_identity(model.adapter.path),
        "made_for": model.adapter.base_model,
        "dtype": None if dtype is None else _name(dtype),
        "onto": onto_text(model),
        "flextune": flextune.__version__,
    }


def onto_text(model: AdaptedFiles) -> str:
    """What the update was added to, in words."""
    kept = model.files.checkpoint.four_bit
    if kept:
        return f"the base model's {kept.upper()} weights, dequantised"
    if model.onto == "weights":
        return "the base model's weights"
    return f"the base model's weights, quantised to {model.onto.upper()} and dequantised"


def _card(model: AdaptedFiles, dtype: torch.dtype | None) -> str:
    kind = "the types of the base model" if dtype is None else _name(dtype)
    return (
        f"---\nbase_model: {model.name}\ntags: [flextune, merged]\n---\n\n"
        f"# {model.name} with {model.adapter.path.name} merged into its weights\n\n"
        f"The update was added in float32 to {onto_text(model)} and rounded once, to {kind}.\n"
        "`flextune merge --audit ADAPTER --against THIS_FOLDER` tells what that did to the model.\n"
    )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
