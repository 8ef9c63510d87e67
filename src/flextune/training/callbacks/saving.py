"""When a training is saved, and what of its members is put back when it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from flextune.errors import FlextuneError, TrainingInterrupted
from flextune.training.checkpoints import save_pace
from flextune.training.interrupts import Interrupts
from flextune.training.processes import anywhere


class Saving(TrainerCallback):
    """Asks for checkpoints, and ends a training that was interrupted once it is saved.

    Args:
        every: Steps between two checkpoints; None: as ``save_pace`` says.
        interrupts: Says whether Ctrl-C came.
    """

    def __init__(self, every: int | None, interrupts: Interrupts) -> None:
        self.every = every
        self.interrupts = interrupts
        self._began = time.monotonic()
        self._since = 0.0
        self._took = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Ask for one where it is due; not at the end, where the adapter is written."""
        due = (
            state.global_step % self.every == 0
            if self.every is not None
            else save_pace(time.monotonic() - self._since, self._took)
        )
        # Several processes have clocks and signals of their own, and must save at the same step.
        due, self.interrupts.asked = anywhere(due, self.interrupts.asked)
        control.should_save |= (due or self.interrupts.asked) and not control.should_training_stop
        self._began = time.monotonic()

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note what it took, and end where Ctrl-C came.

        Raises:
            TrainingInterrupted: It came.
        """
        self._since = time.monotonic()
        self._took = self._since - self._began
        if self.interrupts.asked and not control.should_training_stop:
            raise TrainingInterrupted(
                f"interrupted after step {state.global_step} of {state.max_steps}, which is saved;"
                " the same command goes on from there"
            )


def members_state(callbacks: list[TrainerCallback]) -> dict[str, Any]:
    """What callbacks with ``state_dict`` and ``load_state_dict`` keep, by their names."""
    return {name: member.state_dict() for name, member in _members(callbacks)}


def restore_members(callbacks: list[TrainerCallback], states: dict[str, Any]) -> None:
    """Give it back to them.

    Raises:
        FlextuneError: There is one more here, or one less.
    """
    members = dict(_members(callbacks))
    for name in sorted({*members} ^ {*states}):
        where = "the training" if name in members else "the checkpoint"
        raise FlextuneError(
            f"callback {name}: {where} has it and the other has not; go on with the callbacks of the start"
        )
    for name, member in members.items():
        member.load_state_dict(states[name])


def _members(callbacks: list[TrainerCallback]) -> Iterator[tuple[str, Any]]:
    seen: dict[str, int] = {}
    for member in callbacks:
        if hasattr(member, "state_dict") and hasattr(member, "load_state_dict"):
            kind = type(member).__name__
            seen[kind] = seen.get(kind, 0) + 1
            yield kind if seen[kind] == 1 else f"{kind}-{seen[kind]}", member
