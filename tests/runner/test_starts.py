"""Sequential fine-tuning: one training begins with the adapter of another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from flextune.config import TrainConfig, parse_experiment
from flextune.errors import FlextuneError
from flextune.models.load import load_model
from flextune.models.merging.memory import merge_adapter
from flextune.records import Example, Problem
from flextune.runner.execute import RunOptions, train_experiment
from flextune.runner.models import ModelStore
from flextune.runner.plan import Plan, Sources, make_plan
from flextune.runner.sources import plan_sources
from flextune.runs.run import Run

ARMS = """
name: x
train: {data: rosetta}
evaluate: [{language: py}]
seeds: [0, 1]
arms:
  - {name: base, train: null}
  - {name: one, evaluate: []}
  - {name: two, train: {data: mbpp, start: {arm: one}}}
  - {name: merged, train: {data: mbpp, start: {arm: one, use: merged}}}
  - {name: after-merged, train: {start: {arm: merged}}}
  - {name: folder, train: {start: some/folder}}
"""


def examples(train: TrainConfig) -> tuple[list[Example], list[Example]]:
    return [Example("a", "p", str(train.data))], []


SOURCES = Sources(
    model=lambda name: f"sha256:{name}",
    adapter=lambda folder: f"content of {folder}",
    problems=lambda part: [Problem("p", "rosetta", part.language, "p", "t")],
    examples=examples,
)


def plan_of(*overrides: str, sources: Sources = SOURCES) -> Plan:
    return make_plan(parse_experiment(ARMS, where="x", overrides=overrides), sources)


def test_an_arm_begins_with_the_adapter_that_the_other_has_for_its_seed() -> None:
    plan = plan_of()
    by_label = {training.label: training for training in plan.trainings}
    for seed in (0, 1):
        one, two, merged, last, folder = (
            by_label[f"{arm} seed {seed}"] for arm in ("one", "two", "merged", "after-merged", "folder")
        )
        assert two.start is not None
        assert (two.start.training, two.model) == (one.key, one.model)
        assert merged.start is None
        assert [start.training for start in merged.model.merged] == [one.key]
        assert merged.model.identity == f"{one.model.identity}+{one.key}"
        assert last.start is not None
        assert (last.start.training, last.model) == (merged.key, merged.model)
        assert folder.start is not None
        assert (folder.start.identity, folder.start.folder) == ("content of some/folder", Path("some/folder"))
        assert merged.row()["merged"] == [one.key]
    assert len({training.key for training in plan.trainings}) == 10
    forms = {e.arm: e.generation.form for e in plan.evaluations if e.seed in (None, 0)}
    assert forms["merged"].model == by_label["merged seed 0"].model
    assert forms["base"].model.merged == ()
    # Models without anything merged come first: what is merged later is trained on them.
    assert [len(model.merged) for model in plan.models()] == [0, 1, 1]


def test_what_a_training_begins_with_is_in_its_key_and_the_path_is_not() -> None:
    def keys(folder: str, content: str) -> set[str]:
        sources = Sources(SOURCES.model, SOURCES.problems, SOURCES.examples, lambda path: content)
        return {t.key for t in plan_of(f"arms.folder.train.start={folder}", sources=sources).trainings}

    assert keys("a/b", "same") == keys("c/d", "same")
    assert keys("a/b", "same") != keys("a/b", "other")
    changed = {t.key for t in plan_of("arms.one.train.epochs=1").trainings}
    assert len(changed & {t.key for t in plan_of().trainings}) == 2  # those of the arm "folder"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "arms.two.adapter={rank: 4}",
            "arms.two.train.start: arm 'one' has adapter.rank 8, this one 4; make",
        ),
        ("arms.two.dtype=bfloat16", "arms.two.train.start: arm 'one' is of another model or dtype"),
        ("arms.two.train.start.arm=merged", "no arm 'merged' that trains above this one (there: one)"),
        ("arms.two.train.start.arm=base", "no arm 'base' that trains above this one (there: one)"),
        ("tune={trainings: 2, most: 2}", "arms.two.train.start.arm: an arm that is tuned or matched starts"),
        ("arms.two.train.start={}", "arms.two.train.start: give adapter (a folder) or arm (a name)"),
        ("arms.two.train.start={arm: one, adapter: x}", "give adapter (a folder) or arm (a name)"),
        ("arms.folder.train.start={adapter: x, run: y}", "run needs arm, the name of one of its arms"),
    ],
)
def test_a_start_that_cannot_be_is_refused_before_any_work(override: str, message: str) -> None:
    if override.startswith("arms.two.train.start={"):
        override = override.replace("{}", "{use: merged}")
        text = ARMS.replace("start: {arm: one}}", f"start: {override.partition('=')[2]}}}")
        with pytest.raises(FlextuneError) as caught:
            parse_experiment(text, where="x")
    else:
        with pytest.raises(FlextuneError) as caught:
            plan_of(override)
    assert message in str(caught.value)


def test_an_arm_may_start_from_an_arm_of_another_run() -> None:
    asked = []

    def finished(run: Path, arm: str, seed: int) -> Path:
        asked.append((run, arm, seed))
        return run / arm / str(seed)

    sources = Sources(SOURCES.model, SOURCES.problems, SOURCES.examples, SOURCES.adapter, finished=finished)
    plan = plan_of("arms.folder.train.start={run: runs/round-1, arm: lora}", sources=sources)
    assert asked == [(Path("runs/round-1"), "lora", 0), (Path("runs/round-1"), "lora", 1)]
    starts = [t.start.folder for t in plan.trainings if t.label.startswith("folder") and t.start]
    assert starts == [Path("runs/round-1/lora/0"), Path("runs/round-1/lora/1")]


@pytest.mark.slow
def test_matrices_are_trained_on_or_merged_into_the_weights(model_folder: Path, tmp_path: Path) -> None:
    text = """
name: seq
train: {data: rosetta, format: docstring, max_steps: 2, batch_size: 2, limit: 4, validation_size: 0}
adapter: {dropout: 0}
arms:
  - {name: one}
  - {name: still, train: {learning_rate: 1e-12, start: {arm: one}}}
  - {name: merged, train: {start: {arm: one, use: merged}}}
"""
    experiment = parse_experiment(
        text, where="x", overrides=[f"model={model_folder}", "train.max_length=400"]
    )
    one, still, merged = train_experiment(experiment, tmp_path, RunOptions())
    first, second = (load_file(path / "adapter_model.safetensors") for path in (one, still))
    assert all(torch.allclose(first[name], second[name], atol=1e-9) for name in first)
    assert any(float(tensor.abs().sum()) > 0 for name, tensor in first.items() if "lora_B" in name)

    with pytest.raises(
        FlextuneError, match=rf"another adapter is merged into \({one.parent.name}\): merge that"
    ):
        plan_sources(ModelStore(), None).adapter(merged)

    run = Run(tmp_path)
    key = json.loads((merged.parent / "key.json").read_text())
    assert key["merged"] == [one.parent.name]
    plan = make_plan(experiment, Sources(ModelStore().identity, lambda part: [], examples))
    start = next(model for model in plan.models() if model.merged).merged[0]
    # Of these examples the keys are others; the adapter that is merged is the one that was trained.
    base = next(model for model in plan.models() if not model.merged)
    held = ModelStore(run).base(base.with_merged(type(start)("one", training=one.parent.name)))
    wanted = merge_adapter(load_model(str(model_folder)), one)
    pairs = zip(held.model.parameters(), wanted.model.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    plain = load_model(str(model_folder)).model.parameters()
    assert not all(torch.equal(a, b) for a, b in zip(held.model.parameters(), plain, strict=True))
