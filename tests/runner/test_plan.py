from __future__ import annotations

from dataclasses import replace

import pytest

from flextune.config import EvaluateConfig, TrainConfig, parse_experiment
from flextune.errors import FlextuneError
from flextune.generation.prompts.posing import pose
from flextune.records import Example, Problem
from flextune.runner.plan import Plan, Sources, make_plan
from flextune.runner.work import BaseModel

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


SOURCES = Sources(
    model=lambda name: f"sha256:{name}",
    adapter=lambda folder: f"a:{folder}",
    problems=problems,
    examples=examples,
)


def plan_of(*overrides: str) -> Plan:
    return make_plan(parse_experiment(TEXT, where="x", overrides=overrides), SOURCES)


def trained(plan: Plan) -> set[str]:
    return {training.key for training in plan.trainings}


def evaluated(plan: Plan) -> set[str]:
    return {evaluation.key for evaluation in plan.evaluations}


def generated(plan: Plan) -> set[str]:
    return {evaluation.generation.key for evaluation in plan.evaluations}


def test_arms_that_differ_in_their_export_share_their_trainings():
    plan = plan_of()
    assert len(plan.trainings) == 2 * 3
    assert {e.arm for e in plan.of(plan.trainings[-1].key)} == {"fourier", "fourier-merged"}


def test_arms_that_differ_in_their_optimizer_have_trainings_of_their_own():
    plan = plan_of(
        "arms=[{name: lora}, {name: adamw, optimizer: {name: adamw}}, {name: lion, optimizer: {name: lion}}, "
        "{name: sophia, optimizer: {name: sophia}}]"
    )
    names = [training.recipe.optimizer.name for training in plan.trainings]
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
    arms = (
        "arms=[{name: base}, {name: a, generate: {adapter: x/a}}, {name: b, generate: {adapter: x/b}}, "
        "{name: b-merged, generate: {adapter: x/b, export: merged}}]"
    )
    plan = plan_of("train=null", arms)
    assert plan.trainings == []
    assert {e.seed for e in plan.evaluations} == {None}
    assert len(generated(plan)) == 4 * 2


def test_another_limit_judges_again_and_generates_nothing():
    before, after = plan_of(), plan_of("judge.cpu_seconds=3")
    assert generated(after) == generated(before)
    assert not evaluated(after) & evaluated(before)


def test_a_wall_clock_that_is_the_default_changes_nothing():
    assert evaluated(plan_of("judge.wall_seconds=60")) == evaluated(plan_of())


def test_arms_of_other_models_and_types_have_work_of_their_own():
    plan = plan_of(
        "arms=[{name: lora}, {name: other, model: llama}, {name: half, dtype: bfloat16}, "
        "{name: bare, model: llama, train: null}]"
    )
    assert [(model.name, model.dtype) for model in plan.models()] == [
        ("rosetta", "float32"),
        ("llama", "float32"),
        ("rosetta", "bfloat16"),
    ]
    assert len(plan.trainings) == 3 * 3
    llama = BaseModel("llama", "float32", "auto", "sha256:llama")
    assert {e.arm for e in plan.of(None, llama)} == {"bare"}
    assert len(generated(plan)) == 9 * 2 + 2


def test_an_arm_may_have_benchmarks_decodings_and_limits_of_its_own():
    plan = plan_of(
        "arms=[{name: a}, {name: b, evaluate: [{language: js}], decode: [{strategy: beam}, {}], "
        "judge: {cpu_seconds: 2}}]",
        "seeds=[0]",
    )
    own = [e for e in plan.evaluations if e.arm == "b"]
    assert {(e.generation.part.language, e.generation.decode.strategy) for e in own} == {
        ("js", "beam"),
        ("js", "greedy"),
    }
    assert {e.judge.cpu_seconds for e in own} == {2.0}
    assert {e.generation.part.language for e in plan.evaluations if e.arm == "a"} == {"py", "java"}
    assert len(plan.trainings) == 1


POSING = replace(SOURCES, pose=lambda generate, part, problems: pose(generate, part, problems, None))


def posed(*overrides: str) -> Plan:
    return make_plan(parse_experiment(TEXT, where="x", overrides=overrides), POSING)


def test_a_prompt_generates_again_and_trains_nothing_again():
    plain, chat = posed(), posed("generate={prompt: chat}")
    assert trained(plain) == trained(chat)
    assert generated(plain).isdisjoint(generated(chat))
    assert generated(posed("generate={prompt: completion}")) == generated(plain) == generated(plan_of())
    row = chat.evaluations[0].generation.row()
    assert row["prompt"]["name"] == "chat"
    assert "prompt" not in plain.evaluations[0].generation.row()


def test_stops_at_the_program_judge_one_generation_twice():
    plan = posed("generate={stops: program}")
    labels = {evaluation.decoding for evaluation in plan.evaluations}
    assert labels == {"greedy", "greedy to the program's end"}
    assert len(evaluated(plan)) == len(plan.evaluations) == 2 * len(generated(plan))
    assert generated(plan).isdisjoint(generated(posed()))
    first = plan.evaluations[0]
    # What the benchmark's own end is judged by has the key that it would have without the other end.
    assert first.key == replace(first, whole=False).key != replace(first, whole=True).key
