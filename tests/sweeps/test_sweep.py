"""A sweep from end to end, without a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.finished_run import FinishedRun
from tests.support.pretend import PROBLEMS, pretend_sweep, work

from flextune.config import load_experiment, quick
from flextune.errors import FlextuneError
from flextune.report.run_data import read_run
from flextune.runner.execute import RunOptions, run_experiment
from flextune.studies.registry import studies_of
from flextune.sweeps.outline import sweep_outline
from flextune.sweeps.sweep import run_sweep


def swept(folder: Path, *overrides: str, keys: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return run_sweep(pretend_sweep(*overrides, keys=keys), folder, RunOptions(replace=False)).found


def keys(folder: Path, what: str) -> list[str]:
    return [line["key"] for line in work(folder) if line["what"] == what]


@pytest.mark.slow
def test_a_grid_chooses_on_one_half_and_reports_the_other(tmp_path: Path) -> None:
    found = swept(tmp_path)
    assert found["chosen"]["settings"] == {"penalty.strength": 0.001, "decode.temperature": 0.5}
    assert found["halves"] == [PROBLEMS // 2, PROBLEMS // 2]
    honest = found["honest"]
    assert (honest["count"], honest["trainings"]) == (PROBLEMS // 2, (3, 0))
    assert honest["verdict"] == "certain"
    assert len(found["trials"]) == 6
    assert found["cross_fit"]["difference"] == pytest.approx(found["naive"]["rate"] - 12 / PROBLEMS, abs=0.1)
    assert len(found["max_t"]["p_values"]) == 6
    halves = json.loads((tmp_path / "sweep/halves.json").read_text())
    assert not set(halves["choosing"]) & set(halves["reporting"])
    # Wins and losses of the report are of the reporting half alone.
    assert set(honest["won"]) <= set(halves["reporting"])


@pytest.mark.slow
def test_each_adapter_is_trained_once_and_nothing_is_done_twice(tmp_path: Path) -> None:
    swept(tmp_path)
    # Two strengths of the search's seed, and what was chosen with three seeds.
    assert len(keys(tmp_path, "train")) == 2 + 3
    before = work(tmp_path)
    first = (tmp_path / "swept.json").read_bytes(), (tmp_path / "scores.json").read_bytes()
    swept(tmp_path)
    assert work(tmp_path) == before
    assert ((tmp_path / "swept.json").read_bytes(), (tmp_path / "scores.json").read_bytes()) == first


@pytest.mark.slow
def test_what_was_chosen_is_an_ordinary_experiment(tmp_path: Path) -> None:
    swept(tmp_path)
    chosen = load_experiment(tmp_path / "chosen.yaml")
    arms = {arm.name: arm for arm in chosen.resolved_arms()}
    assert arms["baseline"].train is None
    assert arms["chosen"].decode[0].temperature == 0.5
    assert arms["chosen"].penalty.strength == 0.001
    assert chosen.seeds == [0, 1, 2]
    assert "sweep" not in yaml.safe_load((tmp_path / "chosen.yaml").read_text()) or chosen.sweep is None


def test_a_search_by_proposals_sees_the_choosing_half_alone(tmp_path: Path) -> None:
    found = swept(tmp_path, "sweep={search: bracket, trials: 4}", keys={"decode.temperature": 2.0})
    halves = json.loads((tmp_path / "sweep/halves.json").read_text())
    seen = set()
    for row in found["trials"]:
        for key in row["generations"]:
            lines = (tmp_path / "generated" / key / "completions.jsonl").read_text().splitlines()
            seen |= {json.loads(line)["name"] for line in lines}
    assert seen == set(halves["choosing"])
    assert "cross_fit" not in found
    assert "max_t" not in found
    assert found["naive"]["problems"] == PROBLEMS // 2
    assert found["chosen"]["settings"]["decode.temperature"] == 0.4


def test_a_configuration_below_the_median_is_given_up(tmp_path: Path) -> None:
    values = [0.5, 0.45, 0.55, 0.6, 0.01, 0.99]
    found = swept(tmp_path, "sweep.prune=true", keys={"decode.temperature": values})
    states = {row["settings"]["decode.temperature"]: row["state"] for row in found["trials"]}
    assert states[0.01] == states[0.99] == "pruned"
    assert states[0.5] == "done"
    rows = {row["number"]: row for row in found["trials"]}
    assert len(rows[4]["generations"]) < len(rows[0]["generations"]) == 3
    assert found["chosen"]["settings"] == {"decode.temperature": 0.5}


@pytest.mark.slow
def test_what_the_keys_do_not_allow_or_diverges_is_a_failed_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.pretend import Pretend

    from flextune.errors import DivergedError
    from flextune.runner.work import Training

    train = Pretend.train

    def diverging(self: Pretend, training: Training) -> None:
        if training.recipe.penalty is not None and training.recipe.penalty.strength > 0.01:
            raise DivergedError("the loss is not finite")
        train(self, training)

    monkeypatch.setattr(Pretend, "train", diverging)
    found = swept(tmp_path)
    assert [row["state"] for row in found["trials"]].count("failed") == 3
    assert found["chosen"]["settings"]["penalty.strength"] == 0.001
    monkeypatch.setattr(Pretend, "train", lambda self, training: diverging_always())
    with pytest.raises(FlextuneError, match="none of 6 configurations could be done"):
        swept(tmp_path / "other")


def diverging_always() -> None:
    from flextune.errors import DivergedError

    raise DivergedError("the loss is not finite")


def test_the_validation_loss_may_choose_and_nothing_is_judged_for_it(tmp_path: Path) -> None:
    strengths = [0.02, 0.001, 0.01]
    found = swept(tmp_path, "sweep.objective=eval_loss", keys={"penalty.strength": strengths})
    assert found["chosen"]["settings"] == {"penalty.strength": 0.001}
    assert "naive" not in found
    assert all("judgings" not in row for row in found["trials"])
    assert found["honest"]["count"] == PROBLEMS // 2


@pytest.mark.slow
def test_another_sweep_in_the_folder_is_one_line(tmp_path: Path) -> None:
    swept(tmp_path)
    with pytest.raises(FlextuneError, match="holds a sweep over other keys, values or settings"):
        swept(tmp_path, "sweep.keys.decode.temperature=[0.1, 0.2]")


@pytest.mark.slow
def test_another_sweep_in_the_folder_is_replaced_where_that_is_asked_for(tmp_path: Path) -> None:
    swept(tmp_path)
    trained = len(keys(tmp_path, "train"))
    other = pretend_sweep("sweep.keys.decode.temperature=[0.1, 0.5]")
    found = run_sweep(other, tmp_path, RunOptions(replace=True)).found
    assert len(found["trials"]) == 4
    # Its trainings are the same ones, and stay.
    assert len(keys(tmp_path, "train")) == trained
    again = run_sweep(other, tmp_path, RunOptions(replace=True)).found
    assert again == found


@pytest.mark.slow
def test_the_results_of_an_experiment_are_not_replaced_unasked(tmp_path: Path) -> None:
    FinishedRun(tmp_path, problems=3).write()
    before = (tmp_path / "scores.json").read_bytes()
    with pytest.raises(FlextuneError, match=r"holds the results of another experiment .*--replace"):
        swept(tmp_path)
    assert (tmp_path / "scores.json").read_bytes() == before
    assert run_sweep(pretend_sweep(), tmp_path, RunOptions(replace=True)).found["trials"]


def test_a_quick_sweep_tries_two_values_of_each_key_and_ends(tmp_path: Path) -> None:
    small = quick(pretend_sweep())
    assert small.name == "pretend-quick"
    found = run_sweep(small, tmp_path, RunOptions(replace=False)).found
    assert len(found["trials"]) == 4


def test_a_run_refuses_a_sweep_and_a_sweep_an_experiment_without_one(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match="run it with `flextune sweep`"):
        run_experiment(pretend_sweep(), tmp_path, RunOptions())
    with pytest.raises(FlextuneError, match="has no section sweep"):
        swept(tmp_path, "sweep=null")


@pytest.mark.slow
def test_the_page_has_the_sweep_with_naive_and_honest_best_null_and_power(tmp_path: Path) -> None:
    run_sweep(pretend_sweep(), tmp_path / "pretend", RunOptions())
    run = read_run(tmp_path / "pretend")
    study = studies_of(run)["sweeps"]
    (section,) = study.sections(run)
    text = " ".join([section.intro, *section.notes])
    assert "penalty.strength=0.001 decode.temperature=0.5" in text
    assert "If no configuration differed from the baseline, the best of them would gain" in text
    assert "Smallest gain that four of five such sweeps would show" in text
    ways, configurations = section.tables
    assert [row[0].split()[0] for row in ways.rows] == ["chosen", "cross-fitted", "naive"]
    assert len(configurations.rows) == 6
    assert "Sweep" in (tmp_path / "pretend/report.html").read_text()
    shutil.rmtree(tmp_path / "pretend/sweep")
    assert "sweeps" in studies_of(read_run(tmp_path / "pretend"))


@pytest.mark.slow
def test_a_plan_tells_the_work_the_time_and_the_power(tmp_path: Path) -> None:
    plan = sweep_outline(pretend_sweep(), tmp_path / "x", RunOptions())
    assert (plan.configurations, plan.trainings, plan.trained, plan.ended) == (6, 2, 0, 0)
    assert plan.programs == 6 * 2 * PROBLEMS
    assert plan.seconds is None
    assert not (tmp_path / "x").exists()
    swept(tmp_path / "x")
    after = sweep_outline(pretend_sweep(), tmp_path / "x", RunOptions())
    assert (after.trained, after.ended) == (2, 6)
    assert after.seconds == 0


@pytest.mark.slow
def test_a_version_that_others_do_not_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.pretend import Pretend

    from flextune.runs.run import Run
    from flextune.sweeps.ledger import Ledger
    from flextune.sweeps.space import make_space

    space = make_space(pretend_sweep())
    with Run(tmp_path).shared() as alone:
        assert alone
        Ledger(tmp_path / "sweep").join(space.digest, {"flextune": "1", "commit": None}, alone=True)
        monkeypatch.setattr(
            Pretend, "environment", lambda self: {"versions": {"flextune": "2"}, "commit": "abc"}
        )
        with pytest.raises(FlextuneError, match="other workers run flextune 1, and this is flextune 2 at"):
            swept(tmp_path)
    # Alone, a sweep goes on with the version that is there.
    swept(tmp_path)


@pytest.mark.slow
def test_an_empty_sweep_folder_is_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "sweep/trials").mkdir(parents=True)
    assert swept(tmp_path)["chosen"]


@pytest.mark.slow
def test_other_evaluations_are_made_of_the_choice_alone_and_not_on_namesakes(tmp_path: Path) -> None:
    found = swept(tmp_path, "evaluate=[{language: py}, {language: java}]", "sweep.where={language: py}")
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    java = [row for row in scores if row["language"] == "java"]
    assert {row["arm"] for row in java} == {"baseline", "chosen"}
    halves = json.loads((tmp_path / "sweep/halves.json").read_text())
    for row in java:
        assert set(row["outcomes"][next(iter(row["outcomes"]))]) == set(halves["reporting"])
    assert found["evaluation"] == "rosetta py base"
