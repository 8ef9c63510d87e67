from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.support.small_experiment import small_experiment

from flextune.config import Experiment, load_experiment
from flextune.errors import FlextuneError
from flextune.runner.execute import RunOptions, run_experiment, train_experiment
from flextune.runner.outline import outline
from flextune.runs.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]


@pytest.fixture(scope="module")
def finished(sandboxed: None, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    run_experiment(small_experiment(model_folder), folder, RunOptions())
    return folder


def copy_of(finished: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    shutil.copytree(finished, folder, copy_function=shutil.copy2)
    return folder


def written(folder: Path, pattern: str) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.glob(pattern)}


def sizes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.glob("*ed/*/*.jsonl")}


def test_a_run_leaves_what_the_design_says(finished: Path):
    names = {path.name for path in finished.iterdir()}
    assert {
        "experiment.yaml",
        "environment.json",
        "trained",
        "generated",
        "judged",
        "scores.json",
        "report.html",
    } <= names
    assert len(list(finished.glob("trained/*/adapter/adapter_model.safetensors"))) == 2
    assert len(list(finished.glob("judged/*/verdicts.jsonl"))) == 4
    scores = json.loads((finished / "scores.json").read_text())
    assert {score["arm"] for score in scores["scores"]} == {"baseline", "lora", "fourier", "fourier-merged"}
    assert scores["baseline"] == "baseline"
    assert {row["count"] for row in scores["comparisons"]} == {5}


def test_what_generating_took_is_recorded_once(finished: Path, model_folder: Path, tmp_path: Path):
    run = Run(copy_of(finished, tmp_path))
    keys = [folder.name for folder in (run.folder / "generated").iterdir()]
    completions = [c for key in keys for c in run.generated(key).completions().values()]
    work = run.work()
    assert sum(row["programs"] for row in work) == len(completions)
    assert sum(row["tokens"] for row in work) == sum(completion.tokens for completion in completions)
    assert all(row["seconds"] >= 0 and row["parameters"] > 0 for row in work)
    run_experiment(small_experiment(model_folder), run.folder, RunOptions())
    assert run.work() == work


def test_an_adapter_loads_in_plain_peft(finished: Path, model_folder: Path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model_folder)
    for folder in finished.glob("trained/*/adapter"):
        PeftModel.from_pretrained(base, folder)


def test_a_second_run_does_nothing_again(finished: Path, model_folder: Path, tmp_path: Path):
    folder = copy_of(finished, tmp_path)
    adapters, lines = written(folder, "trained/*/adapter/*"), sizes(folder)
    run_experiment(small_experiment(model_folder), folder, RunOptions())
    assert written(folder, "trained/*/adapter/*") == adapters
    assert sizes(folder) == lines
    assert (folder / "scores.json").read_bytes() == (finished / "scores.json").read_bytes()


@pytest.mark.parametrize(
    "override",
    [
        "evaluate=[{language: py, limit: 5}, {language: js, limit: 2}]",
        "decode=[{max_new_tokens: 12, batch_size: 2}, {strategy: sample, max_new_tokens: 8, n: 2}]",
        "arms=[{name: baseline, train: null}, {name: lora, penalty: null}, {name: fourier}, "
        "{name: fourier-merged, generate: {export: merged}}, "
        "{name: lora-merged, penalty: null, generate: {export: merged}}]",
    ],
    ids=["language", "decoding", "merged arm"],
)
def test_adding_to_a_finished_run_trains_nothing_again(
    finished: Path, model_folder: Path, tmp_path: Path, override: str, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a training began")

    monkeypatch.setattr("flextune.training.engine.train_adapter", refuse)
    folder = copy_of(finished, tmp_path)
    before = len(list(folder.glob("judged/*")))
    result = run_experiment(small_experiment(model_folder, override), folder, RunOptions())
    assert len(list(folder.glob("judged/*"))) > before
    assert len(result.scores) > 4


def test_the_resolved_file_reruns_to_the_same_scores(finished: Path, tmp_path: Path):
    experiment = load_experiment(finished / "experiment.yaml")
    run_experiment(experiment, tmp_path / "again", RunOptions())
    assert (tmp_path / "again" / "scores.json").read_bytes() == (finished / "scores.json").read_bytes()


def test_an_adapter_at_scale_zero_answers_as_the_base_model_does(model_folder: Path, tmp_path: Path):
    arms = (
        "arms=[{name: baseline, train: null}, {name: fourier}, {name: none, generate: {scale: 0}}, "
        "{name: none-merged, generate: {scale: 0, export: merged}}, {name: half, generate: {scale: 0.5}}]"
    )
    experiment = small_experiment(model_folder, arms, "train.learning_rate=0.5")
    result = run_experiment(experiment, tmp_path, RunOptions())
    said = {
        score.arm: (tmp_path / "generated" / key / "completions.jsonl").read_text()
        for score in result.scores
        for key in score.generations.values()
    }
    assert said["none"] == said["none-merged"] == said["baseline"]
    assert len({said["baseline"], said["half"], said["fourier"]}) == 3
    assert len(list(tmp_path.glob("trained/*"))) == 1


def test_an_experiment_that_evaluates_nothing_says_so(small: Experiment, tmp_path: Path):
    with pytest.raises(FlextuneError, match="evaluates nothing"):
        run_experiment(small.model_copy(update={"evaluate": []}), tmp_path, RunOptions())


def test_a_half_judged_run_is_work_to_do_and_is_checked_before_it(
    finished: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = copy_of(finished, tmp_path)
    verdicts = next(folder.glob("judged/*/verdicts.jsonl"))
    verdicts.write_text("".join(verdicts.read_text().splitlines(keepends=True)[:-1]))
    experiment = small_experiment(model_folder)
    assert outline(experiment, folder, RunOptions()).seconds > 0

    def refuse() -> None:
        raise FlextuneError("there is no sandbox")

    monkeypatch.setattr("flextune.judging.check_isolation", refuse)
    with pytest.raises(FlextuneError, match="there is no sandbox"):
        run_experiment(experiment, folder, RunOptions())


def test_a_damaged_line_names_its_file(finished: Path, model_folder: Path, tmp_path: Path):
    folder = copy_of(finished, tmp_path)
    next(folder.glob("generated/*/completions.jsonl")).write_text("nonsense\n")
    with pytest.raises(FlextuneError, match=r"completions\.jsonl:1: not a JSON line"):
        run_experiment(small_experiment(model_folder), folder, RunOptions())


def test_an_experiment_with_lion_fails_before_its_first_training(
    small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    arms = [{"name": "adamw"}, {"name": "lion", "optimizer": {"name": "lion"}}]
    experiment = Experiment.model_validate({**small.model_dump(exclude_unset=True), "arms": arms})
    with pytest.raises(FlextuneError, match="optimizers"):
        train_experiment(experiment, tmp_path, RunOptions())
    assert not (tmp_path / "trained").exists()


def test_a_finished_run_s_adapters_have_their_scores_in_their_cards(finished: Path):
    cards = [path.read_text() for path in finished.glob("trained/*/adapter/README.md")]
    assert len(cards) == 2
    assert all("| pass@1 |" in card and "rosetta, py" in card for card in cards)
    assert any("fourier-merged, rosetta" in card for card in cards)


def test_a_training_leaves_a_model_folder_where_its_arm_is_merged_and_a_card(
    model_folder: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    experiment = small_experiment(model_folder, "evaluate=[]", "train.limit=4", "train.max_steps=2")
    paths = train_experiment(experiment, tmp_path / "small", RunOptions())
    adapters, merged = [path for path in paths if path.name == "adapter"], paths[-1]
    assert len(adapters) == 2
    assert (merged.name, merged.parent) == ("merged", adapters[1].parent)
    AutoModelForCausalLM.from_pretrained(merged)
    card = (adapters[0] / "README.md").read_text()
    assert f'base_model: "{model_folder}"' in card
    assert "- trained on: 4" in card
    assert '"learning_rate": 0.0002' in card
    assert train_experiment(experiment, tmp_path / "small", RunOptions()) == paths
