from __future__ import annotations

import pytest

from flextune.config import EvaluateConfig, Experiment, TrainConfig, parse_experiment
from flextune.errors import FlextuneError
from flextune.records import Example, Problem
from flextune.runner.plan import Plan, bare_evaluations, make_plan

TEXT = """
name: x
train: {data: rosetta, lexicon: reserved}
penalty: {strength: 0.02}
evaluate: [{language: py}, {language: java}]
seeds: [0, 1, 2]
arms:
  - {name: baseline, train: null}
  - {name: lora, penalty: null}
  - {name: fourier}
  - {name: fourier-merged, generate: {export: merged}}
"""


def problems(part: EvaluateConfig) -> list[Problem]:
    if part.language == "none":
        return []
    return [Problem(f"{part.language}-{number}", "rosetta", part.language, "p", "t") for number in range(3)]


def examples(train: TrainConfig) -> tuple[list[Example], list[Example]]:
    return [Example("a", "p", train.language)], []


def plan_of(*overrides: str) -> Plan:
    experiment = parse_experiment(TEXT, where="x", overrides=overrides)
    return make_plan(experiment, model="sha256:1", problems=problems, examples=examples)


def trained(plan: Plan) -> set[str]:
    return {training.key for training in plan.trainings}


def evaluated(plan: Plan) -> set[str]:
    return {evaluation.key for evaluation in plan.evaluations}


def test_arms_that_differ_in_their_export_share_their_trainings():
    plan = plan_of()
    assert len(plan.trainings) == 2 * 3
    assert {e.arm for e in plan.of(plan.trainings[-1].key)} == {"fourier", "fourier-merged"}


def test_arms_that_differ_in_their_optimizer_have_trainings_of_their_own():
    plan = plan_of(
        "arms=[{name: lora}, {name: adamw, optimizer: {name: adamw}}, {name: lion, optimizer: {name: lion}}, "
        "{name: sophia, optimizer: {name: sophia}}]"
    )
    names = [training.optimizer.name for training in plan.trainings]
    assert names == ["adamw"] * 3 + ["lion"] * 3 + ["sophia"] * 3
    assert {training.row()["optimizer"]["name"] for training in plan.trainings} == {"adamw", "lion", "sophia"}


def test_arms_that_differ_in_their_scale_share_their_trainings_and_not_their_evaluations():
    plan = plan_of(
        "arms=[{name: lora}, {name: half, generate: {scale: 0.5}}, "
        "{name: half-merged, generate: {scale: 0.5, export: merged}}, {name: whole, generate: {scale: 1.0}}]"
    )
    assert len(plan.trainings) == 3
    keys = {arm: {e.key for e in plan.evaluations if e.arm == arm} for arm in ("lora", "half", "half-merged")}
    assert len(set.union(*keys.values())) == 3 * 3 * 2
    assert {e.key for e in plan.evaluations if e.arm == "whole"} == keys["lora"]


def test_the_base_model_is_evaluated_once_however_many_seeds_there_are():
    assert [e.seed for e in plan_of().evaluations if e.arm == "baseline"] == [None, None]


def test_the_base_model_is_sampled_once_per_seed():
    plan = plan_of("decode=[{strategy: sample}]")
    assert [e.seed for e in plan.evaluations if e.arm == "baseline"] == [0, 0, 1, 1, 2, 2]
    assert len({e.key for e in plan.evaluations if e.arm == "baseline"}) == 6


@pytest.mark.parametrize(
    "override",
    [
        "evaluate=[{language: py}, {language: java}, {language: js}]",
        "decode=[{strategy: greedy}, {strategy: beam}]",
        "arms=[{name: baseline, train: null}, {name: lora, penalty: null}, {name: fourier}, "
        "{name: fourier-merged, generate: {export: merged}}, {name: lora-merged, penalty: null, "
        "generate: {export: merged}}]",
    ],
    ids=["language", "decoding", "merged arm"],
)
def test_adding_an_evaluation_trains_nothing_again(override: str):
    before, after = plan_of(), plan_of(override)
    assert trained(after) == trained(before)
    assert evaluated(after) > evaluated(before)


@pytest.mark.parametrize("override", ["adapter.rank=4", "train.epochs=1", "train.language=java"])
def test_changing_the_training_changes_every_training(override: str):
    assert not trained(plan_of(override)) & trained(plan_of())


def test_a_benchmark_without_problems_is_an_error():
    with pytest.raises(FlextuneError, match="no problem in language 'none'"):
        plan_of("evaluate=[{language: none}]")


def test_an_adapter_from_elsewhere_is_not_the_base_model():
    experiment: Experiment = parse_experiment("name: m\nevaluate: [{language: py}]", where="x")
    keys = {
        bare_evaluations(experiment, "sha256:1", adapter, problems)[0].key for adapter in (None, "a", "b")
    }
    assert len(keys) == 3
