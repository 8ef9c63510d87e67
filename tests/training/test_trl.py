"""The lines of docs/trainer.md on the penalty, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.trl_script import PAGE, RATE, script
from transformers import TrainerCallback

from flextune.spectral.pairs import LoraPair, lora_pairs
from flextune.training import SpectralLossMixin

STRENGTH = 0.02


def lines() -> str:
    """The block under the heading; with SFTTrainer in scope it is all that a script needs."""
    section = PAGE.read_text(encoding="utf-8").partition("## The penalty in your own training\n")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def trained(trainer: Any) -> list[LoraPair]:
    trainer.train()
    return lora_pairs(trainer.model)


def plain_penalty(pairs: list[LoraPair]) -> torch.Tensor:
    """The paper's formula with torch's rfft, matrix by matrix."""
    total = torch.zeros(())
    for pair in pairs:
        for _, matrix in pair.factors():
            power = torch.fft.rfft(matrix.flatten(), norm="ortho").abs().square()
            ramp = (torch.arange(len(power)) / (len(power) * 0.5)).clamp(max=1)
            total = total + ((1 - (1.0 - 0.9 * ramp)) * power).sum()
    return total


@pytest.fixture(scope="module")
def without(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[torch.Tensor]]:
    """The script without the penalty's line, and the gradient that the penalty has at its start."""
    scope = script(model_folder, tmp_path_factory.mktemp("plain"))
    make = "trainer = SFTTrainer(model, args=args, train_dataset=dataset, peft_config=lora)"
    exec(make, scope)
    pairs = lora_pairs(scope["trainer"].model)
    matrices = [matrix for pair in pairs for _, matrix in pair.factors()]
    gradients = torch.autograd.grad(plain_penalty(pairs), matrices)
    return trained(scope["trainer"]), list(gradients)


def assert_moved_by(
    found: list[LoraPair], without: tuple[list[LoraPair], list[torch.Tensor]], strength: float
) -> None:
    plain = [matrix for pair in without[0] for _, matrix in pair.factors()]
    moved = [matrix for pair in found for _, matrix in pair.factors()]
    for one, other, gradient in zip(moved, plain, without[1], strict=True):
        torch.testing.assert_close(other - one, RATE * strength * gradient, rtol=1e-3, atol=2e-7)
        assert not torch.equal(one, other)


def test_lines_of_the_readme_add_the_penalty_s_step_to_a_trl_training(
    model_folder: Path, tmp_path: Path, without: Any
) -> None:
    scope = script(model_folder, tmp_path)
    assert len([line for line in lines().splitlines() if line.strip()]) == 3
    exec(lines(), scope)
    assert_moved_by(trained(scope["trainer"]), without, STRENGTH)
    assert scope["trainer"].state.log_history[0]["penalty"] > 0


def test_mixin_does_the_same_in_the_loss(model_folder: Path, tmp_path: Path, without: Any) -> None:
    scope = script(model_folder, tmp_path)

    class Trainer(SpectralLossMixin, scope["SFTTrainer"]):  # type: ignore[misc, valid-type, name-defined]
        pass

    trainer = Trainer(
        scope["model"],
        args=scope["args"],
        train_dataset=scope["dataset"],
        peft_config=scope["lora"],
        penalty="default",
        strength=STRENGTH,
    )
    assert_moved_by(trained(trainer), without, STRENGTH)
    assert trainer.state.log_history[0]["penalty"] > 0


class Reporter(TrainerCallback):
    def __init__(self) -> None:
        self.penalties: list[float | None] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if "loss" in logs:
            self.penalties.append(logs.get("penalty"))


def test_lines_of_the_readme_show_the_penalty_to_reporters_on_both_sides(
    model_folder: Path, tmp_path: Path
) -> None:
    scope = script(model_folder, tmp_path)
    exec(lines(), scope)
    ahead, behind = Reporter(), Reporter()
    callbacks = scope["trainer"].callback_handler.callbacks
    callbacks.insert(0, ahead)
    callbacks.append(behind)
    scope["trainer"].train()
    logged = [scope["trainer"].state.log_history[0]["penalty"]]
    assert ahead.penalties == behind.penalties == logged
