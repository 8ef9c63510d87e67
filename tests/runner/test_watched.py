"""What is evaluated while an experiment trains, and an experiment that trains all weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.small_experiment import small_experiment

from flextune.config import EvaluateConfig, TrainConfig, parse_experiment, quick
from flextune.errors import FlextuneError
from flextune.records import Example, Problem
from flextune.runner.execute import RunOptions, run_experiment, train_experiment
from flextune.runner.plan import Plan, Sources, make_plan
from flextune.runner.starts import finished_adapter
from flextune.runs.run import Run

TEXT = """
name: x
train: {evaluate: {limit: 2, benchmarks: [{language: py}, {language: java}]}}
"""


def problems(part: EvaluateConfig) -> list[Problem]:
    return [Problem(f"{part.language}-{n}", "else", part.language, "p", "t") for n in range(part.limit or 9)]


def examples(train: TrainConfig) -> tuple[list[Example], list[Example]]:
    return [Example("a", "p", "c")], []


SOURCES = Sources(model=str, problems=problems, examples=examples)


def plan_of(*overrides: str, sources: Sources = SOURCES) -> Plan:
    return make_plan(parse_experiment(TEXT, where="x", overrides=overrides), sources)


def key(*overrides: str, sources: Sources = SOURCES) -> str:
    return plan_of(*overrides, sources=sources).trainings[0].key


def test_a_training_has_the_problems_that_are_evaluated_while_it_runs() -> None:
    watched = plan_of().trainings[0].watched
    assert watched is not None
    names = [(problem.language, problem.name, problem.benchmark) for problem in watched.problems]
    assert names == [(lang, f"{lang}-{n}", "rosetta") for lang in ("py", "java") for n in range(2)]


def test_they_belong_to_the_key_where_they_decide_what_is_kept() -> None:
    more = replace(SOURCES, problems=lambda part: problems(part)[:1])
    assert key() == key("train.evaluate=null") == key(sources=more)
    kept = "train.keep_best=pass_at_1_java"
    keys = {
        key(),
        key(kept),
        key(kept, sources=more),
        key(kept, "judge.cpu_seconds=3"),
        key(kept, "generate.prompt=chat"),
        key(kept, "train.evaluate.steps=9"),
        key("train.keep_best=loss"),
    }
    assert len(keys) == 7
    assert key(kept) == key(kept, "train.logging_steps=3")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "train.keep_best=pass_at_1_js",
            "train: keep_best: 'pass_at_1_js' is not logged, did you mean 'pass_",
        ),
        ("train={keep_best: pass_at_1_py}", "train: keep_best: 'pass_at_1_py' needs evaluate"),
        ("train={keep_best: eval_loss, validation_size: 0}", "keep_best: needs a validation loss"),
        ("train.evaluate.benchmarks=[{}, {}]", "benchmarks: 'rosetta py base' is given twice"),
        ("train.evaluate.benchmarks=[]", "train.evaluate.benchmarks: "),
    ],
)
def test_what_cannot_be_is_one_line(override: str, message: str) -> None:
    overrides = [override] if "train={" not in override else ["train.evaluate=null", override]
    with pytest.raises(FlextuneError) as caught:
        parse_experiment(TEXT, where="x.yaml", overrides=overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_quick_bounds_it() -> None:
    section = quick(parse_experiment(TEXT, where="x"))
    assert section.train is not None
    assert section.train.evaluate is not None
    assert [part.limit for part in section.train.evaluate.parts] == [2, 2]
    assert section.train.evaluate.max_new_tokens == 24


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("penalty={}", "penalty: it is of LoRA's A and B, and adapter: null has none"),
        ("quantization=nf4", "quantization: weights in nf4 cannot be trained"),
        ("generate.scale=0.5", "generate.scale: 0.5 is for an adapter"),
        ("generate.fault=alpha-twice", "generate.fault: alpha-twice is for an adapter"),
        ("train.start=somewhere", "train.start: adapter: null has no matrices to train on; use: merged"),
    ],
)
def test_what_needs_an_adapter_is_refused_where_all_weights_train(override: str, message: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        parse_experiment("name: x\nadapter: null", where="x.yaml", overrides=[override])
    assert message in str(caught.value)
    section = override.partition("=")[0].partition(".")[0]
    arms = f"name: x\narms: [{{name: lora}}, {{name: whole, adapter: null}}]\n{section}: null\n"
    if section == "penalty":
        with pytest.raises(FlextuneError, match=r"arms\.whole: .*penalty: null"):
            parse_experiment(arms.replace("penalty: null", "penalty: {}"), where="x.yaml")


RUN = [
    "train.max_steps=4",
    "train.evaluate={steps: 2, max_new_tokens: 8, benchmarks: [{language: py, limit: 3}]}",
    "train.keep_best=pass_at_1_py",
    "arms=[{name: baseline, train: null}, {name: lora}, {name: whole, adapter: null, penalty: null}]",
]


@pytest.mark.slow
def test_an_experiment_evaluates_while_it_trains_adapters_and_whole_models(
    sandboxed: None, model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = small_experiment(model_folder, *RUN)
    folder = tmp_path / "small"
    run_experiment(experiment, folder, RunOptions())
    run = Run(folder)
    by_kind = {trained.is_whole: trained for trained in run.trainings()}
    assert set(by_kind) == {True, False}
    for trained in by_kind.values():
        rows = [line for line in trained.log() if "pass_at_1_py" in line]
        assert [row["step"] for row in rows] == [0, 2, 4]
        assert trained.log()[-1]["kept_step"] == 0
        assert (
            "| py" in (trained.result / "README.md").read_text()
            or "pass@1" in (trained.result / "README.md").read_text()
        )
    assert (by_kind[True].model / "config.json").is_file()
    assert not by_kind[True].adapter.exists()
    scores = {
        score.arm: score.outcomes["0" if score.arm != "baseline" else "-"] for score in run.scores.scores
    }
    # What is kept is the first of equals: the untrained weights answer as the base model does.
    assert scores["lora"] == scores["whole"] == scores["baseline"]
    page = run.page.read_text()
    assert "pass@1 while training: py" in page
    before = {path: path.stat().st_mtime_ns for path in folder.glob("trained/*/*")}
    run_experiment(experiment, folder, RunOptions())
    assert {path: path.stat().st_mtime_ns for path in folder.glob("trained/*/*")} == before
    with pytest.raises(
        FlextuneError, match="arm 'whole' trained all weights and has no adapter; give its model"
    ):
        finished_adapter(folder, "whole", 0)
    assert shown(folder, capsys)["trainings"][0]["pass_at_1"] == {"pass_at_1_py": [0.0, 0.0, 0.0]}


def shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    from flextune.cli.show_run import show

    show(str(folder), folder.parent, as_json=True)
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_train_names_the_model_s_folder(sandboxed: None, model_folder: Path, tmp_path: Path) -> None:
    changes = ["train.max_steps=1", "adapter=null", "penalty=null", "arms=[]", "generate={export: merged}"]
    experiment = small_experiment(model_folder, *changes)
    (folder,) = train_experiment(experiment, tmp_path, RunOptions())
    assert folder.name == "model"
