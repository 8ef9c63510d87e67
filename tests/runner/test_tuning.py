from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.small_experiment import small_experiment

from flextune.config import Experiment, parse_experiment
from flextune.errors import FlextuneError
from flextune.runner.execute import RunOptions, train_experiment
from flextune.runner.outline import outline
from flextune.search.bracket import Point, interior, next_point

pytestmark = pytest.mark.slow

TUNE = "tune={trainings: 3, most: 6, seed: 7, settings: {train.learning_rate: 4}}"
ARMS = (
    "arms=[{name: adamw, penalty: null},"
    " {name: sophia, penalty: null, optimizer: {name: sophia, gamma: 1}, tune: {optimizer.gamma: 8}},"
    " {name: as-it-is, penalty: null, train: {learning_rate: 1e-3}, tune: null},"
    " {name: baseline, train: null}]"
)


def search(loss: Callable[..., float], axes: int, budget: int) -> dict[Point, float]:
    tried: dict[Point, float] = {}
    while len(tried) < budget and (point := next_point(tried, axes)) is not None:
        assert point not in tried
        tried[point] = loss(*point)
    return tried


def best(tried: dict[Point, float]) -> Point:
    return min(tried, key=lambda point: tried[point])


@pytest.mark.parametrize("bottom", [-5.3, -1.0, 0.0, 0.4, 3.2])
def test_the_search_closes_in_on_the_lowest_loss(bottom: float) -> None:
    tried = search(lambda x: (x - bottom) ** 2, 1, 30)
    assert interior(tried)
    assert abs(best(tried)[0] - bottom) <= 0.125
    assert next_point(tried, 1) is None


def test_two_settings_that_pull_at_each_other_are_both_closed_in() -> None:
    tried = search(lambda x, y: (x - 2) ** 2 + (y + 1) ** 2 + 0.8 * (x - 2) * (y + 1), 2, 40)
    assert interior(tried)
    assert math.dist(best(tried), (2, -1)) <= 0.5


def test_a_best_value_at_the_edge_is_not_interior() -> None:
    assert not interior(search(lambda x: -x, 1, 6))
    assert not interior({(0.0,): 1.0})


def test_what_diverges_is_walked_away_from() -> None:
    tried = search(lambda x: math.inf if x > -3 else (x + 4) ** 2, 1, 12)
    assert best(tried) == (-4.0,)
    assert interior(tried)


@pytest.fixture(scope="module")
def tuned(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, Path]:
    experiment = small_experiment(model_folder, TUNE, ARMS, "seeds=[0, 1]")
    folder = tmp_path_factory.mktemp("tuned")
    train_experiment(experiment, folder, RunOptions())
    return experiment, folder


@pytest.mark.slow
def test_every_tuned_arm_gets_as_many_trainings_and_the_best_of_them(tuned: tuple[Experiment, Path]) -> None:
    found = json.loads((tuned[1] / "tuned.json").read_text())
    assert found["seed"] == 7
    assert set(found["arms"]) == {"adamw", "sophia"}
    for arm in found["arms"].values():
        trials = arm["trials"]
        assert len(trials) == found["trainings"] == 6 or arm["interior"]
        assert len({trial["training"] for trial in trials}) == len(trials)
        lowest = min(trials, key=lambda trial: trial["eval_loss"])
        assert arm["settings"] == lowest["settings"]
    assert set(found["arms"]["sophia"]["settings"]) == {"train.learning_rate", "optimizer.gamma"}


def test_the_seeds_train_with_what_was_found(tuned: tuple[Experiment, Path]) -> None:
    found = json.loads((tuned[1] / "tuned.json").read_text())["arms"]
    trained = [json.loads(path.read_text()) for path in tuned[1].glob("trained/*/key.json")]
    of_seeds = [row for row in trained if row["seed"] in (0, 1)]
    rates = {row["train"]["learning_rate"] for row in of_seeds if row["optimizer"]["name"] == "adamw"}
    assert rates == {found["adamw"]["settings"]["train.learning_rate"], 1e-3}
    gammas = {row["optimizer"]["gamma"] for row in of_seeds if row["optimizer"]["name"] == "sophia"}
    assert gammas == {found["sophia"]["settings"]["optimizer.gamma"]}


@pytest.mark.slow
def test_nothing_is_tuned_or_trained_twice(tuned: tuple[Experiment, Path]) -> None:
    experiment, folder = tuned
    files = {path: path.stat().st_mtime_ns for path in folder.glob("trained/*/adapter/*")}
    before = (folder / "tuned.json").read_text()
    train_experiment(experiment, folder, RunOptions())
    assert (folder / "tuned.json").read_text() == before
    assert {path: path.stat().st_mtime_ns for path in folder.glob("trained/*/adapter/*")} == files


def test_a_plan_counts_the_trials_that_are_there(tuned: tuple[Experiment, Path], tmp_path: Path) -> None:
    experiment, folder = tuned
    found = json.loads((folder / "tuned.json").read_text())["arms"]
    trials = [trial for arm in found.values() for trial in arm["trials"]]
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    planned = outline(experiment, folder, RunOptions())
    assert (planned.searches["tune"].done, planned.searches["tune"].total) == (len(trials), len(trials))
    # With what was found: the arms' own trainings are known, and there.
    assert [(work.label, work.done, work.total) for work in planned.trainings] == [
        ("adamw", 2, 2),
        ("sophia", 2, 2),
        ("as-it-is", 2, 2),
    ]
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before
    # Two of four arms are tuned, each with six trainings at most.
    fresh = outline(experiment, tmp_path / "fresh", RunOptions()).searches["tune"]
    assert (fresh.done, fresh.total) == (0, 12)
    assert not (tmp_path / "fresh").exists()


def test_a_plan_of_a_tuning_that_was_stopped(tuned: tuple[Experiment, Path], tmp_path: Path) -> None:
    experiment, folder = tuned
    last = json.loads((folder / "tuned.json").read_text())["arms"]["sophia"]["trials"][-1]["training"]
    stopped = shutil.copytree(folder, tmp_path / "stopped")
    shutil.rmtree(stopped / "trained" / last)
    planned = outline(experiment, stopped, RunOptions()).searches["tune"]
    assert planned.total == 12
    assert 0 < planned.done < 12


def test_a_tuning_may_use_fewer_validation_examples_than_the_results(
    model_folder: Path, tmp_path: Path
) -> None:
    tune = "tune={trainings: 2, most: 2, seed: 7, validation_size: 1}"
    sizes = "train.validation_size=3"
    experiment = small_experiment(model_folder, tune, "arms=[{name: a, penalty: null}]", sizes)
    train_experiment(experiment, tmp_path, RunOptions())
    rows = [json.loads(path.read_text()) for path in tmp_path.glob("trained/*/key.json")]
    assert {(row["seed"], row["validation"]) for row in rows} == {(7, 1), (experiment.seeds[0], 3)}


def test_a_training_that_diverges_is_a_loss_like_another(model_folder: Path, tmp_path: Path) -> None:
    arms = "arms=[{name: adamw, penalty: null, train: {learning_rate: 1e30, max_grad_norm: 0}}]"
    tune = "tune={trainings: 3, settings: {train.learning_rate: 1e16}}"
    train_experiment(small_experiment(model_folder, arms, tune), tmp_path, RunOptions())
    adamw = json.loads((tmp_path / "tuned.json").read_text())["arms"]["adamw"]
    assert adamw["trials"][0]["eval_loss"] is None
    assert adamw["settings"]["train.learning_rate"] < 1e30
    assert list(tmp_path.glob("trained/*/diverged.json"))


def test_a_value_that_a_key_does_not_allow_is_walked_away_from(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = iter([(0.0,), (1.0,)])
    monkeypatch.setattr("flextune.runner.tuning.next_point", lambda losses, axes: next(points))
    arms = "arms=[{name: only, penalty: null, adapter: {dropout: 0.5}}]"
    tune = "tune={trainings: 2, most: 2, settings: {adapter.dropout: 2}}"
    train_experiment(small_experiment(model_folder, arms, tune), tmp_path, RunOptions())
    trials = json.loads((tmp_path / "tuned.json").read_text())["arms"]["only"]["trials"]
    assert {"settings": {"adapter.dropout": 1.0}, "eval_loss": None, "training": None} in trials


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tune: {settings: {train.learning_rat: 2}}", "no setting 'train.learning_rat'"),
        ("tune: {settings: {optimizer.gamma: 2}}", "arm 'x' has no setting 'optimizer.gamma'"),
        ("tune: {settings: {train.batch_size: 2}}", "not a positive real number"),
        ("tune: {settings: {train.learning_rate: 1}}", "greater than 1"),
        ("tune: {seed: 0}", "tune.seed: 0 is one of the seeds"),
        ("tune: {trainings: 1}", "tune.trainings"),
        ("tune: {}\ntrain: {validation_size: 0}", "train.validation_size is 0"),
        ("tune: {training: 5}", "did you mean 'trainings'"),
        ("tune: {}\narms: [{name: a, tune: {penalty.strength: 2}}]", "arm 'a' has no setting"),
    ],
)
def test_what_cannot_be_tuned_is_named(text: str, said: str) -> None:
    with pytest.raises(FlextuneError, match=said.replace("(", r"\(")):
        parse_experiment(f"name: x\n{text}", where="x.yaml")
