"""The two keys that decide what is done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from flextune.config import (
    AdapterConfig,
    DecodeConfig,
    JudgeConfig,
    OptimizerConfig,
    PenaltyConfig,
    TrainConfig,
)
from flextune.records import Example, Problem, as_row

#: Raised when the same settings would train or decode something else than before.
VERSION = 1


def digest(value: Any) -> str:
    """16 hexadecimal digits that stand for a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate is valid in JSON, and a file may hold one.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def content_digest(records: Iterable[Example | Problem]) -> str:
    """What data is, wherever it was read from.

    What a problem's entry point is called, its tests say too; cases count where there are any.
    """
    return digest([_content(record) for record in records])


def _content(record: Example | Problem) -> dict[str, Any]:
    row = as_row(record)
    row.pop("entry_point", None)
    if not row.get("cases"):
        row.pop("cases", None)
    return row


def training_key(
    *,
    model: str,
    dtype: str,
    adapter: AdapterConfig,
    train: TrainConfig,
    penalty: PenaltyConfig | None,
    seed: int,
    data: str,
    optimizer: OptimizerConfig | None = None,
) -> str:
    """Key of one adapter: all that determines its weights.

    Args:
        model: Identity of the base model.
        data: ``content_digest`` of the training and validation examples.
        optimizer: None: AdamW with its defaults.

    Settings at their defaults are left out, so that a later option does not retrain old runs. So is what
    does not change the weights: an adapter's export and scale, how often the training logs, all of a penalty
    of strength 0, and the seed of one that draws nothing.
    """
    return digest(
        {
            "version": VERSION,
            "model": model,
            "dtype": dtype,
            "adapter": _given(adapter, without={"export", "scale"}),
            "train": _given(train, without={"log_every"}),
            "penalty": _given_penalty(penalty),
            **({"optimizer": optimizer.given()} if optimizer is not None and optimizer.given() else {}),
            "seed": seed,
            "data": data,
        }
    )


def evaluation_key(
    *,
    model: str,
    dtype: str,
    training: str | None,
    export: str,
    scale: float = 1.0,
    problems: str,
    decode: DecodeConfig,
    judge: JudgeConfig,
    seed: int | None,
) -> str:
    """Key of one evaluation: adapter, problems and decoding.

    Args:
        training: Training key or adapter identity; None for the base model.
        export: Adapter or merged.
        scale: What the adapter's update is multiplied by.
        problems: ``content_digest`` of the problems.
        seed: Seed of the draws; None where nothing is drawn.
    """
    scaled = {"scale": float(scale)} if training is not None and scale != 1 else {}
    return digest(
        {
            "version": VERSION,
            "model": model,
            "dtype": dtype,
            "training": training,
            **scaled,
            "export": None if training is None else export,
            "problems": problems,
            "decode": _given(decode),
            "judge": _given(judge),
            "seed": seed,
        }
    )


def _given_penalty(penalty: PenaltyConfig | None) -> dict[str, Any] | None:
    if penalty is None or penalty.strength == 0:
        return None
    return _given(penalty, without=None if penalty.kind == "permuted" else {"seed"})


def _given(part: Any, *, without: set[str] | None = None) -> dict[str, Any]:
    return part.model_dump(mode="json", exclude_defaults=True, exclude=without)
