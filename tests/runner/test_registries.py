"""An optimizer and a penalty of another package take part in an experiment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import torch
from pydantic import Field
from tests.support.small_experiment import small_experiment

from flextune.config import OptimizerConfig, PenaltySection, schema
from flextune.config.section import Float
from flextune.errors import FlextuneError
from flextune.registry import OPTIMIZERS, PENALTIES
from flextune.runner.execute import RunOptions, train_experiment
from flextune.spectral.pairs import LoraPair

pytestmark = pytest.mark.slow


class PlainDescent(OptimizerConfig):
    """torch's SGD."""

    label: ClassVar[str] = "SGD"

    name: Literal["sgd"] = "sgd"
    momentum: Float = Field(0.0, ge=0, description="Of the gradient.")

    def trainer_arguments(self, learning_rate: float) -> dict[str, Any]:
        options = {"lr": learning_rate, "momentum": self.momentum}
        return {"optimizer_cls_and_kwargs": (torch.optim.SGD, options)}


class Absolute:
    """The sum of absolute values, with the three methods of ``flextune.spectral.Penalty``."""

    def penalised(self, items: list[LoraPair]) -> list[torch.Tensor]:
        return [matrix for pair in items for _, matrix in pair.factors()]

    def value(self, items: list[LoraPair]) -> torch.Tensor:
        return torch.stack([matrix.abs().sum() for matrix in self.penalised(items)]).sum()

    def add_gradients_(self, items: list[LoraPair], scale: float) -> torch.Tensor:
        for matrix in self.penalised(items):
            gradient = scale * matrix.detach().sign()
            matrix.grad = gradient if matrix.grad is None else matrix.grad + gradient
        return self.value(items).detach()

    def proximal_(self, items: list[LoraPair], step: float) -> None:
        for matrix in self.penalised(items):
            matrix.data = matrix.data.sign() * (matrix.data.abs() - step).clamp(min=0)


class AbsoluteConfig(PenaltySection):
    """L1."""

    kind: Literal["l1"] = "l1"

    def build(self) -> Any:
        return Absolute()


def trained(model_folder: Path, folder: Path, *overrides: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the key of the only training stands for, and its log."""
    (adapter,) = train_experiment(
        small_experiment(model_folder, *overrides, "arms=[{name: only}]"), folder, RunOptions()
    )
    key = json.loads((adapter.parent / "key.json").read_text())
    return key, [json.loads(line) for line in (adapter.parent / "training.jsonl").read_text().splitlines()]


def test_an_optimizer_from_outside_trains_and_has_a_key_of_its_own(
    model_folder: Path, tmp_path: Path
) -> None:
    with OPTIMIZERS.temporarily("sgd", PlainDescent):
        key, _ = trained(model_folder, tmp_path, "optimizer={name: sgd, momentum: 0.5}")
        other, _ = trained(model_folder, tmp_path, "optimizer={name: sgd, momentum: 0.9}")
        assert (key["optimizer"], other["optimizer"]["momentum"]) == ({"name": "sgd", "momentum": 0.5}, 0.9)
        assert "PlainDescent" in schema()["$defs"]
        with pytest.raises(FlextuneError, match="momentun', did you mean 'momentum'"):
            small_experiment(model_folder, "optimizer={name: sgd, momentun: 1}")
    assert len(list(tmp_path.glob("trained/*/adapter"))) == 2
    with pytest.raises(FlextuneError, match="unknown optimizer 'sgd'"):
        small_experiment(model_folder, "optimizer={name: sgd}")


@pytest.mark.parametrize("way", ["gradient", "proximal", "loss"])
def test_a_penalty_from_outside_penalizes(model_folder: Path, tmp_path: Path, way: str) -> None:
    with PENALTIES.temporarily("l1", AbsoluteConfig):
        penalty = f"penalty={{kind: l1, strength: 0.1, apply: {way}}}"
        key, log = trained(model_folder, tmp_path, "penalty=null", penalty)
    assert key["penalty"] == {"kind": "l1", "strength": 0.1, "apply": way}
    assert log[1]["penalty"] > 0
