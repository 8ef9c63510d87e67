"""A training that loses power at a step, as if its process were killed there."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback


class Power(Exception):
    """It failed."""


class FailAt(TrainerCallback):
    """Loses power after one step, before its checkpoint is written, or after it; in all processes alike.

    Args:
        step: Which; None: never.
        saved: After the checkpoint of this step, which is asked for either way.
    """

    def __init__(self, step: int | None, *, saved: bool = True) -> None:
        self.step = step
        self.saved = saved

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            control.should_save = True
            if not self.saved:
                raise Power

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.saved and state.global_step == self.step:
            raise Power
