"""The three keys that decide what is done again: of a training, a generation and a judging.

Settings at their defaults stay out of a key, so that an option that is added later undoes no finished work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from flextune.config import DecodeConfig, JudgeConfig, Recipe
from flextune.data.answers import REVISION
from flextune.records import Example, Problem, as_row

#: Raised when the same settings would train, decode or judge something else than before.
VERSION = 3


def digest(value: Any) -> str:
    """16 hexadecimal digits that stand for a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate is valid in JSON, and a file may hold one.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def content_digest(records: Iterable[Example | Problem]) -> str:
    """What data is, wherever it was read from.

    What a problem's entry point is called, its tests say too. Cases, a posed prompt and messages count where
    there are any.
    """
    return digest([_content(record) for record in records])


def _content(record: Example | Problem) -> dict[str, Any]:
    row = as_row(record)
    row.pop("entry_point", None)
    for key in ("cases", "posed", "messages"):
        if not row.get(key):
            row.pop(key, None)
    return row


def training_key(
    recipe: Recipe,
    *,
    model: str,
    dtype: str,
    data: str,
    start: str | None = None,
    quantization: str | None = None,
    watched: str | None = None,
) -> str:
    """Key of one adapter: all that determines its weights.

    Args:
        recipe: Adapter, training, optimizer, penalty, seed.
        model: Identity of the base model.
        dtype: Of its weights.
        data: ``content_digest`` of the training and validation examples.
        start: What stands for the adapter that is trained on; None for a fresh one.
        quantization: Of its linear layers; None: none.
        watched: What stands for the programs that decide which adapter is kept; None: none do.
    """
    judged = {} if watched is None else {"watched": watched}
    begun = {} if start is None else {"start": start}
    bits = {} if quantization is None else {"quantization": quantization}
    return digest(
        {
            "version": VERSION,
            "model": model,
            "dtype": dtype,
            "data": data,
            **begun,
            **bits,
            **judged,
            **recipe.given(),
        }
    )


def generation_key(
    *,
    model: str,
    dtype: str,
    adapter: str | None,
    serving: Mapping[str, Any],
    problems: str,
    decode: DecodeConfig,
    seed: int | None,
    posed: Mapping[str, Any] | None = None,
    quantization: str | None = None,
) -> str:
    """Key of one model's completions.

    Args:
        model: Identity of the base model.
        dtype: Of its weights.
        adapter: Training key or identity of an adapter from elsewhere; None for the base model.
        serving: How it answers, where that is not as by default: the adapter in the weights, its scale, ...
        problems: ``content_digest`` of the problems.
        decode: How completions are decoded.
        seed: Seed of the draws; None where nothing is drawn.
        posed: How the problems are posed, where that is not as they are: the template's revision, ...
        quantization: Of its linear layers; None: none.
    """
    bits = {} if quantization is None else {"quantization": quantization}
    return digest(
        {
            "version": VERSION,
            "model": model,
            "dtype": dtype,
            **bits,
            "adapter": adapter,
            **serving,
            "problems": problems,
            "decode": decode.model_dump(mode="json", exclude_defaults=True),
            "seed": seed,
            **(posed or {}),
        }
    )


def judging_key(*, generation: str, judge: JudgeConfig, whole: bool = False, answers: bool = False) -> str:
    """Key of the verdicts on one generation's completions.

    Args:
        generation: Its key.
        judge: Limits, and how outputs are compared.
        whole: Whether completions are judged up to the program's end, not to their first stop string.
        answers: Whether programs are read from answers in markdown, by the rules of ``data.answers``.
    """
    rules = {"answers": REVISION} if answers else {}
    cut = {"cut": "program"} if whole else {}
    return digest({"version": VERSION, "generation": generation, "judge": judge.given(), **cut, **rules})
