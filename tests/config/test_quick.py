from __future__ import annotations

from pathlib import Path

from flextune.config import load_experiment, parse_experiment, quick

EXPERIMENT = Path(__file__).parents[2] / "experiments/optimizers.yaml"


def test_a_quick_experiment_has_every_arm_and_evaluation_and_next_to_no_data() -> None:
    full = load_experiment(EXPERIMENT)
    small = quick(full)
    assert small.name == "optimizers-quick"
    assert [arm.name for arm in small.arms] == [arm.name for arm in full.arms]
    assert [part.label for part in small.evaluate] == [part.label for part in full.evaluate]
    assert len(small.seeds) == 1
    assert {part.limit for part in small.evaluate} == {2}
    for arm in small.resolved_arms():
        assert arm.train is not None
        assert (arm.train.max_steps, arm.train.limit, arm.train.validation_size) == (2, 24, 1)
    assert small.tune is not None
    assert small.tune.trainings == small.tune.most == 2


def test_what_is_small_already_stays_and_arms_keep_their_own_settings() -> None:
    full = load_experiment(EXPERIMENT, ["evaluate=[{limit: 1}]", "train.max_steps=2", "tune=null"])
    small = quick(full)
    assert (small.evaluate[0].limit, small.train.max_steps, small.tune) == (1, 2, None)
    rates = [arm.train.learning_rate for arm in full.resolved_arms() if arm.train]
    assert [arm.train.learning_rate for arm in small.resolved_arms() if arm.train] == rates


def test_a_training_that_only_an_arm_switches_on_is_small_too() -> None:
    text = (
        "name: x\ntrain: null\nevaluate: [{limit: 9}]\ndecode: [{strategy: sample, n: 200}]\n"
        "arms: [{name: base}, {name: lora, train: {epochs: 3}}, {name: d, train: {}, evaluate: [{limit: 7}]}]"
    )
    base, lora, bare = quick(parse_experiment(text, where="x")).resolved_arms()
    assert base.train is None
    for arm in (lora, bare):
        assert arm.train is not None
        assert (arm.train.max_steps, arm.train.limit, arm.train.batch_size) == (2, 24, 2)
        assert (arm.decode[0].n, arm.evaluate[0].limit) == (2, 2)


def test_a_sweep_keeps_its_keys_with_two_values_each() -> None:
    text = """
name: x
train: {max_steps: 90}
evaluate: [{limit: 40}]
decode: [{max_new_tokens: 300}]
sweep:
  search: random
  trials: 30
  keys:
    penalty.strength: [0, 0.1, 0.2]
    train.max_steps: [50, 100]
    adapter.alpha: {low: 4, high: 64}
    decode: [{max_new_tokens: 300}, {strategy: sample, n: 50}, {strategy: beam}]
  baseline: {train: null, decode: [{max_new_tokens: 400}]}
"""
    small = quick(parse_experiment(text, where="x"))
    assert small.sweep is not None
    assert (small.name, small.sweep.trials, small.evaluate[0].limit) == ("x-quick", 2, 8)
    assert small.sweep.keys["penalty.strength"] == [0, 0.1]
    assert small.sweep.keys["train.max_steps"] == [2]
    assert small.sweep.keys["decode"] == [
        {"max_new_tokens": 24},
        {"strategy": "sample", "n": 2, "max_new_tokens": 24},
    ]
    assert small.sweep.baseline == {"train": None, "decode": [{"max_new_tokens": 24}]}


def test_a_grid_of_a_range_has_two_steps() -> None:
    text = "name: x\nsweep: {keys: {penalty.strength: {low: 0.001, high: 0.1, log: true, steps: 9}}}"
    small = quick(parse_experiment(text, where="x"))
    assert small.sweep is not None
    assert small.sweep.keys["penalty.strength"].steps == 2
    assert small.sweep.trials is None
