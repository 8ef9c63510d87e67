"""The model card in an adapter's folder: what it is, how it was made, how to use it, and what it scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flextune.models.gguf import gguf_name
from flextune.models.names import without_revision
from flextune.runs.environment import describe_environment

_SCORES, _END = "<!-- scores -->", "<!-- end of scores -->"
_LORA_TAG = "- lora\n"
_USE_MODEL = """\
```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")
model = AutoModelForCausalLM.from_pretrained("THIS_FOLDER")
```"""
_USE_ADAPTER = """\
```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained({base}), "THIS_FOLDER")
```

`flextune merge THIS_FOLDER -o MERGED` writes a model that needs no adapter."""
_NO_SCORES = "None yet: `flextune run` and `flextune eval` measure them."


def model_card(
    *,
    base: str,
    recipe: Mapping[str, Any],
    counts: Mapping[str, int],
    trained: Mapping[str, Any],
    quantization: str | None = None,
    commit: str | None = None,
) -> str:
    """The card as Markdown, with the hub's header.

    Args:
        base: Name of the base model.
        recipe: Every setting, ``Recipe.row()``.
        counts: What became of the examples, by what happened to them.
        trained: What the training came to: steps, losses.
        quantization: Of the base model while it was trained.
        commit: Of the base model on the hub.
    """
    base = without_revision(base)[0]
    file = gguf_name(base)
    place = base if file is None else file.place
    named = base if file is None or file.local else file.place
    options = {"gguf_file": file and file.file, "revision": commit}
    load = ", ".join([repr(place), *(f"{key}={value!r}" for key, value in options.items() if value)])
    environment = describe_environment()
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    whole = recipe["adapter"] is None
    bits = "" if quantization is None else f", whose linear layers were in {quantization} meanwhile"
    return f"""\
---
base_model: {json.dumps(named)}
library_name: {"transformers" if whole else "peft"}
pipeline_tag: text-generation
tags:
{"" if whole else _LORA_TAG}- flextune
---

# {f"{base}, fine-tuned" if whole else f"An adapter for {base}"}

{"All weights" if whole else _kind(recipe["adapter"])}, trained by flextune on {_data(recipe["train"])}{bits}.

## Use

{_USE_MODEL if whole else _USE_ADAPTER.format(base=load)}

## Scores

{_SCORES}
{_NO_SCORES}
{_END}

## Data

{_rows(counts)}

## Training

{_rows(trained)}

- command: `{environment["command"]}`
- versions: {versions}

## Recipe

```json
{json.dumps(recipe, indent=2)}
```
"""


def with_scores(card: str, scores: Sequence[tuple[str, str]]) -> str:
    """A card with these scores in place of those that it had.

    Args:
        card: As ``model_card`` made it; one without the place for scores comes back as it is.
        scores: What was measured, and its result.
    """
    before, found, rest = card.partition(_SCORES)
    if not found or _END not in rest or not scores:
        return card
    rows = "\n".join(f"| {what} | {result} |" for what, result in scores)
    table = f"| benchmark | pass@1 |\n|---|---|\n{rows}"
    return f"{before}{_SCORES}\n{table}\n{_END}{rest.partition(_END)[2]}"


def _kind(adapter: Mapping[str, Any]) -> str:
    """Which LoRA it is."""
    name = "DoRA" if adapter.get("use_dora") else "rsLoRA" if adapter.get("use_rslora") else "LoRA"
    start = adapter.get("init_lora_weights")
    return f"{name} with the start {start}" if isinstance(start, str) else name


def _data(train: Mapping[str, Any]) -> str:
    """The source of the examples; a mixture is in the recipe."""
    data = train["data"]
    return f"{data} ({train['language']})" if isinstance(data, str) else "a mixture (see the recipe)"


def _rows(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in values.items())
