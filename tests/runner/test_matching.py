"""Arms whose update gets another arm's norm: the search alone, and in an experiment."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tests.support.small_experiment import small_experiment
from tests.support.tiny import tiny_config

from flextune.audit.norms import update_norm
from flextune.errors import FlextuneError
from flextune.runner.execute import RunOptions, train_experiment
from flextune.runner.outline import outline
from flextune.search.secant import next_value


def search(
    norm: Callable[[float], float], target: float, start: float, tolerance: float = 0.01
) -> list[float]:
    measured: dict[float, float] = {}
    value: float | None = start
    while value is not None and len(measured) < 12:
        measured[value] = norm(value)
        if abs(measured[value] / target - 1) <= tolerance:
            break
        value = next_value(measured, target)
    return list(measured)


@pytest.mark.parametrize(
    "norm",
    [
        lambda x: 5 * x**-0.5,
        lambda x: 12.5 / (1 + 800 * x),
        lambda x: 3 * x,
        lambda x: 4 + 8 / (1 + (x / 0.01) ** 3),
    ],
)
@pytest.mark.parametrize("start", [1e-3, 0.005, 0.2])
def test_the_search_reaches_a_norm_that_rises_or_falls(norm: Callable[[float], float], start: float) -> None:
    target = norm(0.0137)
    values = search(norm, target, start)
    assert norm(values[-1]) == pytest.approx(target, rel=0.01)


def test_values_of_another_order_of_magnitude_are_approached_in_steps() -> None:
    assert next_value({1.0: 100.0}, 1.0) == pytest.approx(4.0)


def test_a_setting_without_an_effect_ends_the_search() -> None:
    assert search(lambda x: 5.0, 4.0, 0.1) == pytest.approx([0.1, 0.1 * (5 / 4) ** 2])


def test_the_norm_is_that_of_the_dense_updates(tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM

    options: dict[str, Any] = {"rank_pattern": {"up_proj": 3}, "alpha_pattern": {"up_proj": 5}}
    config = LoraConfig(r=2, lora_alpha=8, target_modules=["up_proj", "q_proj"], use_rslora=True, **options)
    model: Any = get_peft_model(LlamaForCausalLM(tiny_config()), config)
    torch.manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter)
    model.save_pretrained(str(tmp_path))
    layers = [m for m in model.modules() if hasattr(m, "get_delta_weight") and hasattr(m, "lora_A")]
    dense = sum(layer.get_delta_weight("default").square().sum().item() for layer in layers)
    assert update_norm(tmp_path) == pytest.approx(math.sqrt(dense), rel=1e-5)
    cut = [torch.linalg.svdvals(layer.get_delta_weight("default")).clamp(max=1.5) for layer in layers]
    expected = math.sqrt(sum(each.square().sum().item() for each in cut))
    assert expected < 0.9 * math.sqrt(dense)
    assert update_norm(tmp_path, spectral_norm=1.5) == pytest.approx(expected, rel=1e-5)


MATCH = "match={arm: fourier, tolerance: 0.03}"
ARMS = (
    "arms=[{name: lora, penalty: null}, {name: fourier, penalty: {strength: 0.5}},"
    " {name: l2, penalty: {kind: l2, strength: 0.05}, match: penalty.strength},"
    " {name: scaled, penalty: null, generate: {scale: 0.9}, match: generate.scale}]"
)
LONGER = ("train.max_steps=12", "train.learning_rate=1e-2", "seeds=[0]")


@pytest.mark.slow
def test_matched_arms_have_the_norm_of_the_arm_that_is_named(model_folder: Path, tmp_path: Path) -> None:
    experiment = small_experiment(model_folder, MATCH, ARMS, *LONGER)
    folders = train_experiment(experiment, tmp_path, RunOptions())
    found = json.loads((tmp_path / "matched.json").read_text())
    assert (found["arm"], found["seed"], set(found["arms"])) == ("fourier", 1000, {"l2", "scaled"})
    for row in found["arms"].values():
        assert row["within"]
        assert row["norm"] == pytest.approx(found["norm"], rel=0.03)
    rows = [json.loads((folder.parent / "key.json").read_text()) for folder in folders]
    strengths = [row["penalty"]["strength"] for row in rows if row["penalty"]]
    assert strengths == [0.5, found["arms"]["l2"]["value"]]
    assert found["arms"]["scaled"]["value"] < 0.9
    trained = sorted(tmp_path.glob("trained/*"))
    train_experiment(experiment, tmp_path, RunOptions())
    assert sorted(tmp_path.glob("trained/*")) == trained

    planned = outline(experiment, tmp_path, RunOptions()).searches["match"]
    assert planned.done == planned.total == 1 + sum(len(row["trials"]) for row in found["arms"].values())
    fresh = outline(experiment, tmp_path / "fresh", RunOptions()).searches["match"]
    assert experiment.match is not None
    assert (fresh.done, fresh.total) == (0, 1 + 2 * experiment.match.trainings)


@pytest.mark.parametrize(
    ("match", "arm", "message"),
    [
        ("null", "match: penalty.strength", "the experiment has no section match; add one that names an arm"),
        ("{arm: other}", "match: penalty.strength", "match.arm: there is no arm 'other'"),
        ("{arm: base}", "match: penalty.strength", "match.arm: arm 'base' trains nothing"),
        ("{arm: a}", "match: penalty.kind", "match: penalty.kind of arm 'b' is 'l2', not a positive real"),
        (
            "{arm: a}",
            "match: penalty.power",
            "match: arm 'b' has no setting 'penalty.power' (one is penalty.st",
        ),
        ("{arm: a}", "match: judge.workers", "match: arm 'b' has no setting 'judge.workers'"),
        ("{arm: b}", "match: penalty.strength", "match: arm 'b' is the one that others are matched with"),
        ("{arm: a, seed: 0}", "match: penalty.strength", "match.seed: 0 is one of the seeds"),
    ],
)
def test_what_cannot_be_matched_is_refused_before_any_work(match: str, arm: str, message: str) -> None:
    arms = f"arms=[{{name: base, train: null}}, {{name: a}}, {{name: b, penalty: {{kind: l2}}, {arm}}}]"
    with pytest.raises(FlextuneError) as caught:
        small_experiment(Path("rosetta"), f"match={match}", arms)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
