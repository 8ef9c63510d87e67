"""What lies beside the weights of a merged model, compared with what was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flextune.audit.merging.faults import Fault
from flextune.errors import FlextuneError
from flextune.files.objects import read_object
from flextune.models.encoding import encode_prompt
from flextune.models.load import load_tokenizer
from flextune.models.merging.companions import tokenizer_folder

_GENERATION = "generation_config.json"
#: What a tool may write anew without a model behaving otherwise.
_SILENT = ("transformers_version", "_from_model_config")


def companion_faults(base: Path, adapter: Path, merged: Path, prompts: Sequence[str]) -> list[Fault]:
    """Whether a merged folder reads and writes text as the adapter's base model does.

    Args:
        base: Folder of the base model.
        adapter: The adapter's; its tokenizer counts, where it has one.
        merged: The merged model's.
        prompts: Texts that both tokenizers are tried on.
    """
    source = tokenizer_folder(base, adapter)
    faults = [] if source is None else _tokenizer_faults(source, merged, prompts)
    return faults + _generation_faults(base, merged)


def _tokenizer_faults(source: Path, merged: Path, prompts: Sequence[str]) -> list[Fault]:
    ours = _tokenizer(source)
    if ours is None:
        return []
    theirs = _tokenizer(merged)
    if theirs is None:
        words = f"{merged} has no tokenizer that can be loaded; copy it from {source}"
        return [Fault("tokenizer", words, (str(merged),))]
    other = [prompt for prompt in prompts if encode_prompt(ours, prompt) != encode_prompt(theirs, prompt)]
    ends = [name for name in ("eos_token", "bos_token") if getattr(ours, name) != getattr(theirs, name)]
    faults = []
    if other or ends:
        what = (
            f"reads {len(other)} of {len(prompts)} prompts otherwise" if other else f"has another {ends[0]}"
        )
        words = f"the merged model's tokenizer {what}; copy it from {source}"
        faults.append(Fault("tokenizer", words, (str(merged),)))
    if (ours.chat_template or "") != (theirs.chat_template or ""):
        what = "has another chat template" if theirs.chat_template else "lacks the chat template"
        words = f"the merged model {what}; copy it from {source}"
        faults.append(Fault("chat-template", words, (str(merged),), grave=False))
    return faults


def _tokenizer(folder: Path) -> Any:
    """A folder's tokenizer; None where it has none that can be loaded."""
    # Without these files transformers would look elsewhere, or make one up from the model's type.
    if not any(folder.glob("*token*")) and not any(folder.glob("vocab.*")):
        return None
    # An adapter's folder has no config.json, which transformers looks for to know the class.
    from transformers import AutoTokenizer

    try:
        if (folder / "config.json").is_file():
            return load_tokenizer(str(folder))
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (FlextuneError, OSError, ValueError):
        return None


def _generation_faults(base: Path, merged: Path) -> list[Fault]:
    ours, theirs = (read_object(folder / _GENERATION) for folder in (base, merged))
    keys = {*ours, *theirs} - set(_SILENT)
    other = sorted(key for key in keys if ours.get(key) != theirs.get(key))
    if not ours or not other:
        return []
    words = f"{_GENERATION} differs in {', '.join(other)}; copy it from {base}"
    return [Fault("generation-config", words, (str(merged / _GENERATION),), grave=False)]
