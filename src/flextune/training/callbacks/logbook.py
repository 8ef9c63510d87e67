"""The log of a training: one JSON line per logged step, and progress."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from flextune.config import PASS_AT_1
from flextune.files.whole import write_whole
from flextune.training.callbacks.keeping import KeepBestCallback

Progress = Callable[[int, int], None]

_STEP_KEYS = ("loss", "penalty", "grad_norm", "learning_rate")
_CLOCKS = ("seconds", "cpu_seconds")
_TERMS = ("kl", "win_rate_a", "win_rate_b", "win_rate", "hessian_norm", "estimate_share", *_CLOCKS)


class Logbook(TrainerCallback):
    """Writes ``training.jsonl`` and reports progress.

    Lines are ``{"step", "epoch", "loss", "penalty", "grad_norm", "learning_rate"}`` (and where there are
    such, ``kl`` and ``SophiaMixin``'s numbers), ``{"step", "eval_loss"}``, and at the end
    ``{"step", "peak_memory_bytes"}``. All of these have ``seconds`` of training, without validation and
    without the device's warm-up, and on the CPU ``cpu_seconds``, the process's part of them. Lines of an
    evaluation while training are ``{"step", "epoch", "pass_at_1_java", ...}``. Where the best adapter is kept
    a last one is ``{"step", "kept_step", "kept_METRIC"}``. Each is written whole and flushed; a number that
    is not finite is null.

    Args:
        path: The file; a new training empties it.
        progress: Called with (steps done, steps in all).
        keeping: What keeps the best adapter; None: the last one is kept.
    """

    def __init__(
        self, path: Path, progress: Progress | None = None, keeping: KeepBestCallback | None = None
    ) -> None:
        self.path = path
        self.progress = progress
        self.keeping = keeping
        path.write_text("")

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Report the number of steps."""
        self._report(state)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Report a finished step."""
        self._report(state)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a line for a training loss, a validation loss, pass@1, and the Trainer's summary."""
        logs = logs or {}
        if "loss" in logs:
            logs = {"penalty": 0.0, **logs}
            keys = (*_STEP_KEYS, *(key for key in _TERMS if key in logs))
            numbers = {key: _finite(logs.get(key)) for key in keys}
            self._write({"step": state.global_step, "epoch": round(state.epoch or 0.0, 6), **numbers})
        elif measured := {key: _finite(value) for key, value in logs.items() if key.startswith(PASS_AT_1)}:
            self._write({"step": state.global_step, "epoch": round(state.epoch or 0.0, 6), **measured})
        elif "eval_loss" in logs:
            self._note(state, logs, "eval_loss")
        elif "train_runtime" in logs:
            self._note(state, logs, "peak_memory_bytes")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Write which step's adapter is kept as the best."""
        if self.keeping is not None and self.keeping.best_step is not None:
            best = {"kept_step": self.keeping.best_step, f"kept_{self.keeping.metric}": self.keeping.best}
            self._write({"step": state.global_step, **best})

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: the lines so far."""
        return {"text": self.path.read_text()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on behind them; what was logged after the checkpoint is logged again."""
        write_whole(self.path, state["text"])

    def _report(self, state: TrainerState) -> None:
        if self.progress is not None:
            self.progress(state.global_step, state.max_steps)

    def _note(self, state: TrainerState, logs: dict[str, float], what: str) -> None:
        numbers = {key: _finite(logs[key]) for key in (what, *_CLOCKS) if key in logs}
        self._write({"step": state.global_step, **numbers})

    def _write(self, line: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
