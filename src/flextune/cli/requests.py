"""From options to an experiment, for the commands that need no experiment file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from flextune.config import EMBEDDED_MODEL, EvaluateConfig, Experiment, parse_experiment
from flextune.errors import FlextuneError
from flextune.models.adapter_folder import usable_adapter


def split_model(text: str) -> tuple[str, Path | None]:
    """``MODEL`` or ``MODEL+ADAPTER``; a folder that exists is a model, whatever its name holds.

    Raises:
        FlextuneError: The adapter part is no adapter folder, or one of a method that is not supported.
    """
    model, plus, adapter = text.rpartition("+")
    if not plus or Path(text).expanduser().is_dir():
        return text, None
    folder = Path(adapter).expanduser()
    if not adapter or not folder.is_dir():
        raise FlextuneError(f"{text}: no adapter folder {adapter!r} (MODEL+ADAPTER names a PEFT folder)")
    return model, usable_adapter(folder).path


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
    merged: bool = False,
) -> Experiment:
    """An experiment that only evaluates ``model``; an adapter is merged into its weights if ``merged``.

    Raises:
        FlextuneError: A value that an experiment file could not hold either, under its option's name.
    """
    part = {"benchmark": benchmark, "lexicon": lexicon, "limit": limit}
    raw = {
        "name": slug(model),
        "model": model,
        "dtype": dtype,
        "adapter": {"export": "merged" if merged else "adapter"},
        "seeds": [seed],
        "decode": [decode],
        "evaluate": [{**part, "language": language} for language in dict.fromkeys(languages or ["py"])],
    }
    try:
        return parse_experiment(yaml.safe_dump(raw), where=_HERE)
    except FlextuneError as error:
        raise FlextuneError(_KEY.sub(_option, str(error))) from None


_HERE = "command line"
_KEY = re.compile(rf"^{_HERE}: (?:(?:evaluate|decode)\.\d+\.|(?=dtype:))(\w+):")


def _option(key: re.Match[str]) -> str:
    return f"--{key[1].replace('_', '-')}:"


def benchmark_request(benchmark: str, language: str, limit: int | None) -> EvaluateConfig:
    """One benchmark in one language, in its usual wording.

    Raises:
        FlextuneError: There is no such benchmark.
    """
    request = evaluation_request(
        EMBEDDED_MODEL,
        benchmark=benchmark,
        languages=[language],
        lexicon="base",
        limit=limit,
        dtype="float32",
        seed=0,
        decode={},
    )
    return request.evaluate[0]


def decode_request(
    *, temperature: float, top_p: float, samples: int, beams: int, max_new_tokens: int, batch_size: int
) -> dict[str, Any]:
    """The ``decode`` section for options: beams if given, greedy at temperature 0, else sampling.

    Raises:
        FlextuneError: Options that exclude each other.
    """
    common = {"max_new_tokens": max_new_tokens, "batch_size": batch_size}
    if beams and temperature:
        raise FlextuneError("--beams and --temperature exclude each other: choose beam search or sampling")
    if samples > 1 and not temperature:
        raise FlextuneError(
            f"--samples {samples} needs --temperature above 0: without it every sample is the same"
        )
    if beams:
        return {"strategy": "beam", "beams": beams, **common}
    if temperature:
        drawn = {"temperature": temperature, "top_p": top_p, "samples": samples}
        return {"strategy": "sample", **drawn, **common}
    return {"strategy": "greedy", **common}


def slug(model: str) -> str:
    """A name for files from a model's name or path."""
    folder = Path(model).expanduser()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name if folder.is_dir() else model)
    return text.strip("-._") or "model"
