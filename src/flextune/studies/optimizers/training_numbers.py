"""What one training's log says in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.report.run_data import JsonObject

MIB = 2**20
#: Below this share of a core the process waited for one: the machine was busy with other work.
QUIET = 0.9


@dataclass(frozen=True, slots=True)
class Validation:
    """One validation; a loss of None was not finite."""

    step: float
    loss: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TrainingNumbers:
    """Numbers of one training; None is what its log does not say.

    Attributes:
        validations: In the order of the steps.
        diverged: The last loss is no number.
        final_loss: Of the adapter that was kept; None if it diverged.
        lowest_loss: Of all validations.
        grad_norm: Before clipping, mean over the logged steps.
        last_grad_norm: Of the last logged step.
        win_rate_a: Share of A's coordinates that were not clipped, mean over the logged steps.
        win_rate_b: The same of B.
        estimate_share: Part of the steps' time that went into estimates.
        seconds: Of training, without validation.
        seconds_per_step: Estimates included.
        memory: Peak in MiB.
    """

    validations: tuple[Validation, ...]
    diverged: bool
    final_loss: float | None
    lowest_loss: float | None
    grad_norm: float | None
    last_grad_norm: float | None
    win_rate_a: float | None
    win_rate_b: float | None
    estimate_share: float | None
    seconds: float | None
    seconds_per_step: float | None
    memory: float | None

    @property
    def perplexity(self) -> float | None:
        """``exp`` of the final validation loss."""
        # Beyond this a float has no exponential, and a language model no perplexity to speak of.
        return None if self.final_loss is None or self.final_loss > 700 else math.exp(self.final_loss)


def training_numbers(log: Iterable[JsonObject]) -> TrainingNumbers:
    """The numbers of one training.jsonl."""
    rows = list(log)
    validations = tuple(
        Validation(float(row["step"]), finite(row["eval_loss"]), finite(row.get("seconds")))
        for row in rows
        if "eval_loss" in row and finite(row.get("step")) is not None
    )
    losses = [row["loss"] for row in rows if "loss" in row]
    known = [v.loss for v in validations if v.loss is not None]
    diverged = any(
        column and finite(column[-1]) is None for column in (losses, [v.loss for v in validations])
    )
    final = _column(rows, "kept_eval_loss") or ([] if diverged else known)
    seconds, steps, memory = (_column(rows, key) for key in ("seconds", "step", "peak_memory_bytes"))
    norms = _column(rows, "grad_norm")
    return TrainingNumbers(
        validations=validations,
        diverged=diverged,
        final_loss=final[-1] if final else None,
        lowest_loss=min(known, default=None),
        grad_norm=_mean(norms),
        last_grad_norm=norms[-1] if norms else None,
        win_rate_a=_mean(_column(rows, "win_rate_a")),
        win_rate_b=_mean(_column(rows, "win_rate_b")),
        estimate_share=_mean(_column(rows, "estimate_share")),
        seconds=max(seconds, default=None),
        seconds_per_step=max(seconds) / max(steps) if seconds and max(steps, default=0) > 0 else None,
        memory=max(memory) / MIB if memory else None,
    )


def core_share(log: Iterable[JsonObject]) -> float | None:
    """Part of a training's seconds in which its process ran (threads add up); None if unknown."""
    rows = list(log)
    seconds, on_cpu = (max(_column(rows, key), default=0.0) for key in ("seconds", "cpu_seconds"))
    return on_cpu / seconds if seconds and on_cpu else None


def on_cpu_clock(log: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
    """A log whose ``seconds`` are those that its process spent on a processor."""
    return tuple({**row, "seconds": row["cpu_seconds"]} if "cpu_seconds" in row else row for row in log)


def finite(value: Any) -> float | None:
    """A number that is one; None for null, nan and anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _column(rows: Iterable[JsonObject], key: str) -> list[float]:
    return [value for row in rows if (value := finite(row.get(key))) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
