"""What a training says of itself while it runs."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Watch(TrainerCallback):
    """Keeps the last logged loss for whoever shows the progress.

    Attributes:
        detail: ``loss 0.412``; empty before the first log.
    """

    def __init__(self) -> None:
        self.detail = ""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the loss from a log line."""
        loss = (logs or {}).get("loss")
        if loss is not None:
            self.detail = f"loss {float(loss):.3f}"
