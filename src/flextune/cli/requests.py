"""From options to an experiment, for the commands that need no experiment file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from flextune.config import Experiment, parse_experiment
from flextune.records import FlextuneError


def split_model(text: str) -> tuple[str, Path | None]:
    """``MODEL`` or ``MODEL+ADAPTER``.

    Raises:
        FlextuneError: The adapter part is not an adapter folder.
    """
    model, plus, adapter = text.rpartition("+")
    if not plus:
        return text, None
    folder = Path(adapter)
    if not (folder / "adapter_config.json").is_file():
        raise FlextuneError(f"{adapter}: no adapter folder (it has no adapter_config.json)")
    return model, folder


def evaluation_request(
    model: str,
    *,
    benchmark: str,
    languages: list[str] | None,
    lexicon: str,
    limit: int | None,
    dtype: str,
    seed: int,
    decode: dict[str, Any],
) -> Experiment:
    """An experiment that only evaluates ``model``; wrong values are reported as in a file."""
    part = {"benchmark": benchmark, "lexicon": lexicon, "limit": limit}
    raw = {
        "name": slug(model),
        "model": model,
        "dtype": dtype,
        "seeds": [seed],
        "decode": [decode],
        "evaluate": [{**part, "language": language} for language in languages or ["py"]],
    }
    return parse_experiment(yaml.safe_dump(raw), where="command line")


def decode_request(
    *, temperature: float, top_p: float, samples: int, beams: int, max_new_tokens: int, batch_size: int
) -> dict[str, Any]:
    """The ``decode`` section for options: beams if given, greedy at temperature 0, else sampling.

    Raises:
        FlextuneError: Both beams and a temperature.
    """
    common = {"max_new_tokens": max_new_tokens, "batch_size": batch_size}
    if beams and temperature:
        raise FlextuneError("--beams and --temperature exclude each other: choose beam search or sampling")
    if beams:
        return {"strategy": "beam", "beams": beams, **common}
    if temperature:
        drawn = {"temperature": temperature, "top_p": top_p, "samples": samples}
        return {"strategy": "sample", **drawn, **common}
    return {"strategy": "greedy", "samples": samples, **common}


def slug(model: str) -> str:
    """A name for files from a model's name or path."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(model).name if Path(model).is_dir() else model)
    return text.strip("-._") or "model"
