"""Every name that ``optimizer`` knows trains an adapter, and means what it says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_optimizer import Lion
from tests.support.engine import recipe, tensors, train, weights
from tests.support.trainings import arguments, lines, model_with_adapter, rows

from flextune.config import EarlyStoppingConfig, KLConfig, OptimizerConfig, Recipe, TrainConfig, optimizer
from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.optim import Sophia
from flextune.training.arguments import trainer_arguments, training_arguments
from flextune.training.trainer import FlexTrainer

OPTIMIZERS: dict[str, OptimizerConfig] = {
    "adamw": optimizer(),
    "lion": optimizer(name="lion"),
    "sophia-g": optimizer(name="sophia", gamma=1.0, every=4),
    "sophia-h": optimizer(name="sophia", estimator="hutchinson", gamma=1.0, every=4),
    "sophia-constant": optimizer(name="sophia-constant"),
}
SHORT: dict[str, Any] = {"learning_rate": 3e-3, "gradient_accumulation_steps": 2, "logging_steps": 4}


@pytest.fixture(scope="module")
def trained(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: train(loaded, folder / name, train=recipe(**SHORT), optimizer=section)
        for name, section in OPTIMIZERS.items()
    }


@pytest.mark.slow
def test_each_lowers_the_held_out_loss_in_a_way_of_its_own(trained: dict[str, Path]) -> None:
    for folder in trained.values():
        held_out = [line["eval_loss"] for line in lines(folder) if "eval_loss" in line]
        assert held_out[-1] < held_out[0] - 1e-3
    assert len({weights(folder) for folder in trained.values()}) == len(OPTIMIZERS)


@pytest.mark.slow
def test_adamw_is_what_there_was_without_the_section(
    loaded: LoadedModel, trained: dict[str, Path], tmp_path: Path
) -> None:
    before = train(loaded, tmp_path, train=recipe(**SHORT))
    assert weights(before) == weights(trained["adamw"])
    assert lines(before) == lines(trained["adamw"])


@pytest.mark.parametrize("name", ["sophia-g", "sophia-h", "lion"])
@pytest.mark.slow
def test_same_seed_gives_the_same_bytes(
    loaded: LoadedModel, trained: dict[str, Path], tmp_path: Path, name: str
) -> None:
    torch.manual_seed(9)
    again = train(loaded, tmp_path, train=recipe(**SHORT), optimizer=OPTIMIZERS[name])
    assert weights(again) == weights(trained[name])


@pytest.mark.slow
def test_lines_hold_what_a_name_has_to_tell(trained: dict[str, Path]) -> None:
    rates, estimates = {"win_rate_a", "win_rate_b"}, {"hessian_norm", "estimate_share"}
    expected = {
        "sophia-g": rates | estimates,
        "sophia-h": rates | estimates,
        "sophia-constant": rates,
    }
    for name, folder in trained.items():
        last = [line for line in lines(folder) if "loss" in line][-1]
        assert set(last) & (rates | estimates) == expected.get(name, set())


@pytest.mark.slow
def test_no_coordinate_moves_more_than_the_rates_add_up_to(trained: dict[str, Path]) -> None:
    """All but AdamW clip or take signs; B starts at 0, and weight decay pulls it there."""
    for name in ("lion", "sophia-g", "sophia-h", "sophia-constant"):
        for key, tensor in tensors(trained[name]).items():
            if "lora_B" in key:
                assert 0 < tensor.abs().max() <= 12 * SHORT["learning_rate"]


@pytest.mark.slow
def test_sophia_trains_beside_divergence_and_early_stopping(loaded: LoadedModel, tmp_path: Path) -> None:
    """Rows then carry what the model's forward does not take."""
    options = recipe(**SHORT, kl=KLConfig(), early_stopping=EarlyStoppingConfig(patience=3))
    folder = train(loaded, tmp_path, train=options, optimizer=OPTIMIZERS["sophia-g"])
    assert [line for line in lines(folder) if "loss" in line][-1]["kl"] > 0


@pytest.mark.slow
def test_options_reach_their_optimizers(loaded: LoadedModel, tmp_path: Path) -> None:
    def made(section: OptimizerConfig) -> Any:
        options = Recipe(train=TrainConfig(learning_rate=0.3, weight_decay=0.2), optimizer=section)
        args = training_arguments(loaded, options, tmp_path, evaluate=False)
        extra = trainer_arguments(options)
        trainer = FlexTrainer(model=model_with_adapter(loaded), args=args, train_dataset=rows(), **extra)
        return trainer.create_optimizer()

    adamw = made(optimizer(betas=(0.5, 0.6), eps=0.7))
    assert type(adamw) is torch.optim.AdamW
    lion = made(optimizer(name="lion", betas=(0.5, 0.6)))
    assert type(lion) is Lion
    sophia = made(optimizer(name="sophia", betas=(0.5, 0.6), eps=0.7, gamma=3, every=7))
    constant = made(optimizer(name="sophia-constant", betas=(0.5, 0.6), eps=0.7, gamma=3))
    for made_one in (adamw, lion, sophia, constant):
        group = made_one.param_groups[0]
        assert (group["lr"], group["weight_decay"], tuple(group["betas"])) == (0.3, 0.2, (0.5, 0.6))
        assert group.get("eps") == (None if made_one is lion else 0.7)
    for made_one, curvature, every in ((sophia, None, 7), (constant, 1e-4, 10)):
        assert type(made_one) is Sophia
        group = made_one.param_groups[0]
        assert (group["gamma"], group["curvature"], group["every"]) == (3, curvature, every)


def test_lion_without_its_package_says_what_to_install(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(FlextuneError, match=r"pip install 'flextune\[optimizers\]'"):
        train(loaded, tmp_path, optimizer=OPTIMIZERS["lion"])


def test_weights_that_do_not_decay_are_in_a_group_of_their_own(loaded: LoadedModel, tmp_path: Path) -> None:
    model = model_with_adapter(loaded)
    norm = next(p for name, p in model.named_parameters() if name.endswith("input_layernorm.weight"))
    norm.requires_grad_(True)
    trainer = FlexTrainer(model=model, args=arguments(tmp_path, weight_decay=0.2), sophia={})
    groups = trainer.create_optimizer().param_groups
    assert [(group["name"], group["weight_decay"]) for group in groups] == [
        ("A", 0.2),
        ("B", 0.2),
        ("other", 0.0),
    ]
