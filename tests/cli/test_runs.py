"""run, train, eval, report and runs."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Call, read_lines
from tests.support.tiny import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]


def adapter_of(runs: Path) -> Path:
    (folder,) = runs.glob("small/trained/*/adapter")
    return folder


def test_run_prints_the_scores_file_as_json(flextune: Call, experiment_file: Path, runs: Path):
    found = flextune("run", experiment_file, "--runs", runs, "--json").json
    assert found == json.loads((runs / "small" / "scores.json").read_text())
    assert {row["arm"] for row in found["scores"]} == {"baseline", "lora"}


def test_run_prints_a_table_of_80_columns_and_the_page(flextune: Call, experiment_file: Path, runs: Path):
    said = flextune("run", experiment_file, "--runs", runs)
    assert said.code == 0
    *table, page = said.out.splitlines()
    assert page == f"page: {runs}/small/report.html"
    assert max(map(len, table)) <= 80
    assert any(line.startswith("lora") for line in table)


def test_train_prints_adapters_that_run_then_reuses(
    flextune: Call, experiment_file: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    said = flextune("train", experiment_file, "--runs", tmp_path, "--json")
    (adapter,) = said.json
    assert adapter == str(adapter_of(tmp_path))
    assert "train lora seed 0: 2/2" in said.err

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a training began")

    monkeypatch.setattr("flextune.training.engine.train_adapter", refuse)
    assert flextune("train", experiment_file, "--runs", tmp_path).out == f"{adapter}\n"
    flextune("run", experiment_file, "--runs", tmp_path, "--json").json
    assert (tmp_path / "small/scores.json").read_bytes() == (finished / "small/scores.json").read_bytes()


def test_an_override_changes_what_is_run(flextune: Call, experiment_file: Path, runs: Path):
    changed = ("run", experiment_file, "evaluate.0.limit=2", "--runs", runs)
    complaint = flextune(*changed).complaint
    assert complaint.startswith(f"{runs}/small holds the results of another experiment (baseline: rosetta py")
    assert "--replace replaces its scores and page" in complaint
    found = flextune(*changed, "--replace", "--json").json
    assert {estimate["count"] for row in found["scores"] for estimate in row["estimates"]} == {2}


EVAL = ("--benchmark", "rosetta", "--alone", "--limit", "3", "--max-new-tokens", "8", "--batch-size", "2")


def test_eval_of_a_model_with_its_adapter_writes_what_its_own_run_wrote(
    flextune: Call, model_folder: Path, runs: Path
):
    model = f"{model_folder}+{adapter_of(runs)}"
    asked = ("--language", "py", "--language", "py", "--runs", runs, "--json")
    (score,) = flextune("eval", model, *EVAL, *asked).json["scores"]
    key = adapter_of(runs).parent.name
    assert (score["arm"], score["benchmark"], score["language"]) == (key, "rosetta", "py")
    assert score["estimates"][0]["metric"] == "pass@1"
    (generation,) = score["generations"].values()
    lines = read_lines(runs / "eval-tiny" / "generated" / generation / "completions.jsonl")
    own = {row["name"]: row["text"] for path in runs.glob("small/generated/*/key.json")
           if json.loads(path.read_text())["training"]
           for row in read_lines(path.with_name("completions.jsonl"))}  # fmt: skip
    assert {row["name"]: row["text"] for row in lines} == own


def test_evaluations_of_a_model_extend_one_run_that_is_listed_and_reported(
    flextune: Call, model_folder: Path, runs: Path
):
    adapter = adapter_of(runs)
    where = (*EVAL, "--runs", runs)
    assert flextune("eval", model_folder, *where).code == 0
    assert flextune("eval", f"{model_folder}+{adapter}", *where).code == 0
    said = flextune("eval", f"{model_folder}+{adapter}", "--merged", "--language", "js", *where)
    assert said.out.splitlines()[-1] == f"page: {runs}/eval-tiny/report.html"
    row = next(row for row in flextune("runs", "--runs", runs, "--json").json if row["name"] == "eval-tiny")
    assert (row["judged"], row["scored"], row["baseline"]) == (3, True, "base")
    scores = json.loads((runs / "eval-tiny/scores.json").read_text())
    assert {(s["arm"], s["language"]) for s in scores["scores"]} == {
        ("base", "py"),
        (adapter.parent.name, "py"),
        (f"{adapter.parent.name}-merged", "js"),
    }
    assert [(c["arm"], c["baseline"]) for c in scores["comparisons"]] == [(adapter.parent.name, "base")]
    page = flextune("report", "eval-tiny", "--runs", runs).out
    assert Path(page.strip()).is_file()


def test_an_evaluation_is_kept_when_its_adapter_is_gone(flextune: Call, model_folder: Path, runs: Path):
    adapter = shutil.copytree(adapter_of(runs), runs.parent / "mine")
    assert flextune("eval", f"{model_folder}+{adapter}", *EVAL, "--runs", runs).code == 0
    shutil.rmtree(adapter)
    assert flextune("eval", model_folder, *EVAL, "--runs", runs).code == 0
    scores = json.loads((runs / "eval-tiny/scores.json").read_text())["scores"]
    assert {score["arm"] for score in scores} == {"mine", "base"}


def test_an_evaluation_never_writes_into_the_run_of_a_file(flextune: Call, model_folder: Path, runs: Path):
    before = (runs / "small/experiment.yaml").read_text()
    complaint = flextune("eval", model_folder, *EVAL, "--name", "small", "--runs", runs).complaint
    assert complaint.startswith("small: a run of an experiment file")
    assert (runs / "small/experiment.yaml").read_text() == before


def test_another_request_for_the_same_row_replaces_it(flextune: Call, model_folder: Path, runs: Path):
    drawn = (
        "--benchmark",
        "rosetta",
        "--temperature",
        "1",
        "--max-new-tokens",
        "8",
        "--runs",
        runs,
        "--json",
    )
    assert flextune("eval", model_folder, "--limit", "2", "--seed", 0, *drawn).code == 0
    (score,) = flextune("eval", model_folder, "--limit", "4", "--seed", 1, *drawn, "--json").json["scores"]
    assert (set(score["outcomes"]), score["estimates"][0]["count"]) == ({"1"}, 4)


def test_seeds_of_one_evaluation_are_added(flextune: Call, model_folder: Path, runs: Path):
    drawn = ("--temperature", "1", "--runs", runs, "--json")
    for seed in (0, 1):
        (score,) = flextune("eval", model_folder, *EVAL, "--seed", seed, *drawn).json["scores"]
    assert set(score["outcomes"]) == {"0", "1"}


def test_an_adapter_for_another_model_is_one_line(flextune: Call, runs: Path, tmp_path: Path):
    other = tiny_model(tmp_path / "other", hidden_size=32, max_position_embeddings=1024)
    adapter = adapter_of(runs)
    complaint = flextune("eval", f"{other}+{adapter}", *EVAL, "--runs", tmp_path).complaint
    assert complaint.startswith(f"{adapter}: adapter for another model")
    assert "needs" in complaint


@pytest.mark.parametrize("command", ["eval", "generate"])
def test_an_adapter_that_is_none_is_one_line(
    flextune: Call, model_folder: Path, tmp_path: Path, command: str
):
    output = ("-o", tmp_path / "made.jsonl") if command == "generate" else ()
    model = f"{model_folder}+{tmp_path}/nothing"
    assert flextune(command, model, *output).complaint == (
        f"{model}: no adapter folder '{tmp_path}/nothing' (MODEL+ADAPTER names a PEFT folder)"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert flextune(command, f"{model_folder}+{empty}", *output).complaint == (
        f"{empty}: no adapter_config.json; it is not an adapter folder"
    )


def test_a_model_whose_path_holds_a_plus_is_a_model(flextune: Call, tmp_path: Path):
    tiny_model(tmp_path / "c++", max_position_embeddings=1024)
    output = tmp_path / "made.jsonl"
    options = ("--benchmark", "rosetta", "--limit", "1", "--max-new-tokens", "2")
    assert flextune("generate", tmp_path / "c++", "-o", output, *options).code == 0


def test_runs_lists_what_is_finished(flextune: Call, runs: Path):
    (row,) = flextune("runs", "--runs", runs, "--json").json
    date, (model,) = row.pop("date"), row.pop("models")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", date)
    assert row == {
        "name": "small",
        "folder": f"{runs}/small",
        "trained": 1,
        "judged": 2,
        "scored": True,
        "baseline": "baseline",
        "problem": None,
    }
    said = flextune("runs", "--runs", runs)
    assert said.out.split() == ["small", *date.split(), "scored", "1", "trained,", "2", "evaluated", model]


def test_no_runs_is_an_answer(flextune: Call, tmp_path: Path):
    assert flextune("runs", "--runs", tmp_path, "--json").json == []
    assert "quickstart" in flextune("runs", "--runs", tmp_path).out


def test_a_damaged_scores_file_spoils_only_its_own_row(flextune: Call, runs: Path):
    (runs / "small" / "scores.json").write_text("{")
    (row,) = flextune("runs", "--runs", runs, "--json").json
    assert (row["scored"], row["trained"]) == (False, 1)
    assert row["problem"].startswith(f"{runs}/small/scores.json: not a scores file")
    assert "not a scores file" in flextune("report", "small", "--runs", runs).complaint


def test_report_writes_the_page_anew_by_name_or_folder(flextune: Call, runs: Path):
    page = runs / "small" / "report.html"
    before = page.read_text()
    page.unlink()
    assert flextune("report", "small", "--runs", runs).out == f"{page}\n"
    assert page.read_text() == before
    assert flextune("report", runs / "small").out == f"{page}\n"


def test_report_of_what_is_no_run_names_the_runs(flextune: Call, runs: Path):
    complaint = flextune("report", "smal", "--runs", runs).complaint
    assert complaint == f"'smal' is neither a run folder nor a run in {runs} (runs there: small)"


def test_report_of_an_unfinished_run_says_so(flextune: Call, runs: Path):
    (runs / "small" / "scores.json").unlink()
    assert "scores.json: cannot be read" in flextune("report", "small", "--runs", runs).complaint


def test_a_run_that_another_process_holds_is_refused(flextune: Call, experiment_file: Path, runs: Path):
    with (runs / "small" / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        complaint = flextune("run", experiment_file, "--runs", runs).complaint
    assert complaint.startswith(f"{runs}/small: another flextune process is running this experiment")
    assert "another name" in complaint


def test_a_language_without_its_tools_is_noted_and_not_scored(
    flextune: Call, experiment_file: Path, runs: Path, only_on_path: Any
):
    only_on_path("bwrap")
    change = "evaluate=[{language: py, limit: 3}, {language: java, limit: 2}]"
    said = flextune("run", experiment_file, change, "--runs", runs, "--json")
    assert "java programs cannot be judged here and are not scored" in said.err
    estimates = {(row["arm"], row["language"]): row["estimates"][0] for row in said.json["scores"]}
    assert estimates["lora", "java"]["count"] == 0
    assert estimates["lora", "java"]["value"] is None
    assert estimates["lora", "py"]["count"] == 3


@pytest.mark.slow
def test_a_run_with_several_optimizers_ends_with_their_ratios_as_json(
    flextune: Call, experiment_file: Path, tmp_path: Path
):
    arms = "arms=[{name: adamw, penalty: null}, {name: sophia, penalty: null, optimizer: {name: sophia}}]"
    said = flextune("run", experiment_file, arms, "train.validation_size=2", "--quick", "--runs", tmp_path)
    assert said.code == 0, said.err
    *_, page, study, ratios = said.out.splitlines()
    assert page == f"page: {tmp_path}/small-quick/report.html"
    assert study == f"optimizers: {tmp_path}/small-quick/optimizers.md"
    assert set(json.loads(ratios)) == {"sophia"}
    assert json.loads(ratios)["sophia"]["val_loss_ratio"] > 0
    said = flextune("report", tmp_path / "small-quick")
    assert said.out.splitlines() == [page.removeprefix("page: "), study.removeprefix("optimizers: ")]
