"""What an experiment needs beyond the training extra is missed before anything is trained."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from flextune.config import Experiment, OptimizerConfig
from flextune.pipeline.experiment import RunOptions, train_experiment
from flextune.pipeline.requirements import check_optimizer, need_training_extra
from flextune.records import FlextuneError
from flextune.training.recipe import optimizer_arguments

LION = OptimizerConfig(name="lion")
OTHERS = [name for name in get_args(OptimizerConfig.model_fields["name"].annotation) if name != "lion"]


def test_lion_without_its_package_fails_as_its_training_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(FlextuneError, match=r"pip install 'flextune\[optimizers\]'") as before:
        check_optimizer(LION)
    with pytest.raises(FlextuneError) as later:
        optimizer_arguments(LION, 0.1)
    assert str(before.value) == str(later.value)


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_optimizer_needs_the_package(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    check_optimizer(OptimizerConfig(name=name))


def test_a_package_that_is_there_is_found_and_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pytorch_optimizer", raising=False)
    check_optimizer(LION)
    assert "pytorch_optimizer" not in sys.modules


def test_an_experiment_with_lion_fails_before_its_first_training(
    small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    arms = [{"name": "adamw"}, {"name": "lion", "optimizer": {"name": "lion"}}]
    experiment = Experiment.model_validate({**small.model_dump(), "arms": arms})
    with pytest.raises(FlextuneError, match="optimizers"):
        train_experiment(experiment, tmp_path, RunOptions())
    assert not (tmp_path / "trained").exists()


def test_a_missing_part_of_the_training_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(FlextuneError, match=r"peft is not installed: pip install 'flextune\[train\]'"):
        need_training_extra("json", "peft")
