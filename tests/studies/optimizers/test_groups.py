from __future__ import annotations

import json
import math
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from tests.support.optimizer_runs import (
    ADAMW,
    CONSTANT,
    LION,
    MBPP,
    ROSETTA,
    SOPHIA_G,
    SOPHIA_H,
    OptimizerRun,
    log,
)

from flextune.config import OptimizerConfig
from flextune.registry import OPTIMIZERS
from flextune.report.run_data import read_run
from flextune.studies.optimizers.groups import Group, optimizer_groups
from flextune.studies.optimizers.training_numbers import TrainingNumbers, training_numbers


def groups(path: Path) -> tuple[Group, ...]:
    return optimizer_groups(read_run(path))


def test_numbers_of_a_training_are_those_of_its_log() -> None:
    rows = log([0.9, 0.3, 0.4], step_seconds=0.5, memory=3 * 2**20, win_rate_b=0.25)
    rows[1] |= {"grad_norm": 3.0, "win_rate_a": 0.2, "estimate_share": 0.1}
    rows[3] |= {"win_rate_a": 0.4}
    found = training_numbers(rows)
    assert [(v.step, v.loss, v.seconds) for v in found.validations] == [
        (0, 0.9, 0),
        (10, 0.3, 5),
        (20, 0.4, 10),
    ]
    assert (found.final_loss, found.lowest_loss, found.diverged) == (0.4, 0.3, False)
    assert found.perplexity == pytest.approx(math.exp(0.4))
    assert (found.grad_norm, found.last_grad_norm) == (2.0, 1.0)
    assert (found.win_rate_a, found.win_rate_b) == (pytest.approx(0.3), 0.25)
    # Only lines that have it count: the second says nothing about estimates.
    assert found.estimate_share == 0.1
    assert (found.seconds, found.seconds_per_step, found.memory) == (10.0, 0.5, 3.0)


def test_the_kept_adapter_of_an_early_stop_has_the_final_loss() -> None:
    found = training_numbers([*log([0.9, 0.3, 0.5]), {"step": 20, "kept_step": 10, "kept_eval_loss": 0.3}])
    assert (found.final_loss, found.lowest_loss) == (0.3, 0.3)


@pytest.mark.parametrize("last", [None, math.nan, math.inf])
def test_a_diverged_training_has_no_final_loss_but_a_lowest(last: float | None) -> None:
    found = training_numbers(log([0.9, 0.3, last]))
    assert (found.diverged, found.final_loss, found.perplexity, found.lowest_loss) == (True, None, None, 0.3)


def test_an_older_log_has_no_seconds_and_nothing_is_guessed() -> None:
    found = training_numbers(log([0.9, 0.3], step_seconds=None))
    assert (found.seconds, found.seconds_per_step, found.memory) == (None, None, None)
    assert found.validations[1].seconds is None
    assert found.final_loss == 0.3


def test_an_empty_log_says_nothing() -> None:
    found = training_numbers([])
    assert found == TrainingNumbers((), False, *[None] * 10)


def test_a_run_with_one_optimizer_compares_none(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("low", ADAMW, {"0": log([1.0])}, rate=1e-4)
    assert groups(run.arm("high", ADAMW, {"0": log([1.0])}, rate=1e-2).write()) == ()


def test_a_run_without_keys_compares_none(finished_run: Path) -> None:
    assert groups(finished_run) == ()


def test_arms_are_compared_on_the_same_data_alone(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path)
    for suffix, train in (("", ROSETTA), ("-mbpp", MBPP)):
        run.arm(f"adamw{suffix}", ADAMW, {"0": log([1.0])}, train=train)
        run.arm(f"lion{suffix}", LION, {"0": log([1.0])}, train=train, rate=1e-4)
    run.arm("lonely", LION, {"0": log([1.0])}, train={**MBPP, "batch_size": 1})
    found = groups(run.write())
    assert [(group.name, [arm.name for arm in group.arms]) for group in found] == [
        ("Rosetta, Python, taught words", ["adamw", "lion"]),
        ("MBPP, Python", ["adamw-mbpp", "lion-mbpp"]),
    ]
    assert [group.reference and group.reference.name for group in found] == ["adamw", "adamw-mbpp"]


def test_another_penalty_is_another_comparison(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0])})
    run.arm("sophia", SOPHIA_G, {"0": log([1.0])}, penalty={"kind": "l2"})
    assert groups(run.write()) == ()


def test_groups_of_one_data_have_names_of_their_own(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path)
    for size in (8, 16):
        for optimizer in (ADAMW, LION):
            train = {**ROSETTA, "batch_size": size}
            run.arm(f"{optimizer['name']}-{size}", optimizer, {"0": log([1.0])}, train=train)
    assert [group.name for group in groups(run.write())] == [
        "Rosetta, Python, taught words (adamw-8, ...)",
        "Rosetta, Python, taught words (adamw-16, ...)",
    ]


def test_what_was_searched_does_not_part_arms(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm(
        "adamw", ADAMW, {"0": log([1.0])}, train={**ROSETTA, "weight_decay": 0.1}
    )
    run.arm("lion", LION, {"0": log([1.0])}, train={**ROSETTA, "weight_decay": 0.3})
    run.tuned["lion"] = {"settings": {"train.weight_decay": 0.3}, "interior": True, "trials": []}
    (group,) = groups(run.write())
    assert [arm.name for arm in group.arms] == ["adamw", "lion"]


def test_the_tuned_adamw_is_the_reference_and_the_untuned_one_is_kept_as_a_partner(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path)
    arms = {"paper-adamw": ADAMW, "paper-sophia": CONSTANT, "adamw": ADAMW, "sophia": SOPHIA_G}
    for name, optimizer in arms.items():
        run.arm(name, optimizer, {"0": log([1.0])})
    for name in ("adamw", "sophia"):
        run.tune(name, [(1e-3, 0.5)])
    (group,) = groups(run.write())
    assert group.reference is not None
    assert group.reference.name == "adamw"
    partners = {arm.name: partner and partner.name for arm in group.arms for partner in [group.partner(arm)]}
    assert partners == {"paper-adamw": None, "paper-sophia": "paper-adamw", "adamw": None, "sophia": None}
    labels = [arm.label for arm in group.arms]
    assert labels == ["AdamW, untuned", "Sophia-constant, untuned", "AdamW", "Sophia-G"]


def test_without_tuning_the_first_adamw_is_the_reference(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("lion", LION, {"0": log([1.0])})
    run.arm("one", ADAMW, {"0": log([1.0])}).arm("two", ADAMW, {"0": log([1.0])}, rate=1e-5)
    (group,) = groups(run.write())
    assert group.reference is not None
    assert group.reference.name == "one"
    assert [arm.label for arm in group.arms] == ["Lion", "AdamW", "AdamW (two)"]


def test_without_adamw_there_is_no_reference_and_nothing_to_compare_with(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("lion", LION, {"0": log([1.0])}).arm("g", SOPHIA_G, {"0": log([1.0])})
    (group,) = groups(run.write())
    assert (group.reference, group.others()) == (None, ())


def test_sophia_is_called_by_its_estimator(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("a", SOPHIA_G, {"0": log([1.0])}).arm("b", SOPHIA_H, {"0": log([1.0])})
    (group,) = groups(run.write())
    assert [arm.family for arm in group.arms] == ["sophia-g", "sophia-h"]


def test_arms_that_share_their_adapters_count_once(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0])}).arm("lion", LION, {"0": log([1.0])})
    path = run.write()
    held = json.loads((path / "scores.json").read_text())
    merged = next(row for row in held["scores"] if row["arm"] == "lion")
    held["scores"].append({**merged, "arm": "lion-merged"})
    (path / "scores.json").write_text(json.dumps(held))
    (group,) = groups(path)
    assert [arm.name for arm in group.arms] == ["adamw", "lion"]


def test_a_training_whose_log_is_gone_has_no_numbers(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0]), "1": log([2.0])})
    path = run.arm("lion", LION, {"0": log([1.0])}).write()
    (path / "trained" / "adamw-1" / "training.jsonl").unlink()
    (group,) = groups(path)
    assert group.arms[0].values("final_loss") == [1.0]
    assert set(group.arms[0].numbers) == {"0", "1"}


def test_an_optimizer_of_another_package_is_called_what_its_section_says(tmp_path: Path) -> None:
    class Muon(OptimizerConfig):
        label: ClassVar[str] = "Muon"
        name: Literal["muon"] = "muon"

    with OPTIMIZERS.temporarily("muon", Muon):
        run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0])})
        (group,) = groups(run.arm("mine", {"name": "muon"}, {"0": log([1.0])}).write())
        assert [arm.label for arm in group.arms] == ["AdamW", "Muon"]
