from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.support.html_reader import Reader
from tests.support.optimizer_runs import ADAMW, LION, MBPP, SOPHIA_G, OptimizerRun, falling, log

from flextune.errors import FlextuneError
from flextune.report.facts import facts
from flextune.report.run_data import read_run
from flextune.studies.writing import write_report

pytestmark = pytest.mark.slow


def run_of(path: Path) -> OptimizerRun:
    run = OptimizerRun(path)
    for name, optimizer, end in (("adamw", ADAMW, 0.5), ("sophia", SOPHIA_G, 0.4)):
        logs = {str(seed): log(falling(1.0, end + seed / 100), win_rate_a=0.3) for seed in range(3)}
        run.arm(name, optimizer, logs)
    run.tune("adamw", [(5e-4, 0.7), (1e-3, 0.5), (2e-3, None)])
    run.tune("sophia", [(5e-4, 0.6), (1e-3, 0.4), (2e-3, 0.5)])
    return run


def page(path: Path) -> Reader:
    return Reader(write_report(path).page.read_text(encoding="utf-8"))


def test_the_page_has_a_section_on_optimizers_with_verdicts_tables_and_figures(tmp_path: Path) -> None:
    found = page(run_of(tmp_path).write())
    assert "optimizers" in [attrs.get("id") for tag, attrs in found.tags if tag == "section"]
    assert ("a", {"href": "#optimizers"}) in found.tags
    for said in (
        "sophia against adamw, final validation loss: lower",
        "the paper's Sophia 1.1504 0.925 41.3 1.025",
        "30.0 [30.0, 30.0]",
        "Learning rate alone",
    ):
        assert said in found.text, said
    places = [attrs["data-figure"] for _, attrs in found.tags if "data-figure" in attrs]
    wanted = ["composite-1", "training-loss", "validation-loss", "perplexity", "gradient-norm", "win-rate-a"]
    shown = [f"optimizer-{name}" for name in (*wanted, "loss-over-seconds", "learning-rates")]
    assert places == ["scores", "wins", "outcomes", *shown]
    figures = found.json("figures-data")
    assert all(figures[place]["data"] for place in places if place)


def test_a_run_with_one_optimizer_has_no_such_section(finished_run: Path) -> None:
    found = page(finished_run)
    assert "optimizers" not in [attrs.get("id") for tag, attrs in found.tags if tag == "section"]
    assert "30 % faster" not in found.text


def test_arms_outside_of_the_comparison_keep_their_loss_curves(tmp_path: Path) -> None:
    run = run_of(tmp_path).arm("alone", ADAMW, {"0": log([1.0, 0.5])}, train=MBPP)
    found = page(run.write())
    assert {trace["name"] for trace in found.json("figures-data")["losses"]["data"]} == {
        "alone, training",
        "alone, held out",
    }


def test_a_diverged_training_still_makes_a_page(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0, 0.5]), "1": log([1.0, 0.5])})
    found = page(run.arm("lion", LION, {"0": log([1.0, None]), "1": log([None])}).write())
    assert "Diverged trainings, without a final loss: lion 2." in found.text


def test_a_half_written_log_and_a_missing_one_still_make_a_page(tmp_path: Path) -> None:
    path = run_of(tmp_path).write()
    file = path / "trained" / "sophia-0" / "training.jsonl"
    file.write_bytes(file.read_bytes()[:-30])
    (path / "trained" / "sophia-1" / "training.jsonl").unlink()
    found = page(path)
    assert "optimizers" in [attrs.get("id") for tag, attrs in found.tags if tag == "section"]


def test_hostile_names_stay_text_in_the_section(tmp_path: Path) -> None:
    path = run_of(tmp_path).write()
    name = "</script><script>alert(1)</script>{{ 7*7 }}"
    for file in ("scores.json", "tuned.json"):
        (path / file).write_text((path / file).read_text().replace('"sophia"', json.dumps(name)))
    found = page(path)
    assert len(found.scripts) == len(page(run_of(tmp_path / "clean").write()).scripts)
    assert f"{name} against adamw" in found.text


def test_a_damaged_tuned_file_is_named(tmp_path: Path) -> None:
    path = run_of(tmp_path).write()
    (path / "tuned.json").write_text("[")
    with pytest.raises(FlextuneError, match=r"tuned\.json: not a JSON object"):
        write_report(path)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("tuned.json", '{"arms": [3]}', "not what a tuning writes"),
        ("tuned.json", '{"arms": {"adamw": {"settings": 3}}}', "not what a tuning writes"),
        ("tuned.json", '{"arms": {"adamw": {"settings": {}}}}', "not what a tuning writes"),
        ("trained/adamw-0/key.json", '{"train": 3}', "'train' is not an object"),
        ("trained/adamw-0/key.json", '{"train": {}, "optimizer": [1]}', "'optimizer' is not an object"),
    ],
)
def test_files_of_another_shape_are_named(tmp_path: Path, file: str, text: str, said: str) -> None:
    path = run_of(tmp_path).write()
    (path / file).write_text(text)
    with pytest.raises(FlextuneError, match=rf"{Path(file).name}: {said}"):
        write_report(path)


def test_facts_name_the_optimizers_and_what_was_tuned(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.arms = [
        {"name": "adamw", "optimizer": {}},
        {"name": "sophia", "optimizer": {"name": "sophia", "gamma": 1}},
    ]
    found = dict(facts(read_run(run.write(optimizer={**ADAMW, "betas": [0.9, 0.95]}))))
    assert found["Optimizer"] == "adamw, betas 0.9 + 0.95; sophia: sophia, gamma 1"
    assert found["Tuned"] == (
        "adamw: learning rate 0.001 (3 trainings); sophia: learning rate 0.001 (3 trainings)"
    )


def test_an_optimizer_at_its_defaults_is_named_without_options(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("one", SOPHIA_G, {"0": log([1.0])})
    run.arms = []
    section = {"name": "sophia", "estimator": "gnb", "every": 10, "gamma": 0.05, "betas": [0.96, 0.99]}
    found = dict(facts(read_run(run.write(optimizer=section))))
    assert found["Optimizer"] == "sophia"
    assert "Tuned" not in found


def test_an_optimizer_that_is_not_known_here_is_named_with_its_file(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("one", {"name": "muon"}, {"0": log([1.0])})
    with pytest.raises(FlextuneError, match=r"experiment\.yaml: .*unknown optimizer 'muon'"):
        write_report(run.write())


def test_data_are_those_of_the_trainings(tmp_path: Path) -> None:
    run = run_of(tmp_path).arm("other", ADAMW, {"0": log([1.0])}, train=MBPP)
    found = dict(facts(read_run(run.write())))
    assert found["Trained on"] == "Rosetta, Python, taught words; MBPP, Python"
    assert re.fullmatch(r"0, 1, 2", found["Seeds"])
