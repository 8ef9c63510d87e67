"""Searches: what they propose, and that they need nothing but the trials to go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.search.base import Axis, Search, Settings, Trial, combinations, words
from flextune.search.blind import Listed, random_configurations
from flextune.search.bracket import Bracket
from flextune.search.tpe import Tpe, shown_url

RATE = Axis("rate", low=1e-4, high=1e-2, log=True)
RANK = Axis("rank", low=2, high=16, whole=True)
KIND = Axis("kind", values=({"name": "a", "n": 1}, None, "b"))


def run(search: Search, value: Callable[[Settings], float], trials: Sequence[Trial] = ()) -> list[Trial]:
    """Every trial, done at once."""
    found = list(trials)
    while (proposal := search.propose(found)) is not None:
        number = len(found)
        found.append(Trial(number, proposal.settings, "done", value(proposal.settings), proposal.proposal))
        assert number < 100
    return found


def test_a_grid_has_every_combination_once_and_ranges_have_steps() -> None:
    axes = (Axis("rate", low=1e-4, high=1e-2, log=True, steps=3), KIND)
    grid = list(combinations(axes))
    assert [settings["rate"] for settings in grid[::3]] == [0.0001, 0.001, 0.01]
    assert len(grid) == 9
    assert [t.settings for t in run(Listed(grid), lambda s: 0.0)] == grid


def test_whole_numbers_stay_whole_and_inside() -> None:
    assert {type(RANK.at(place)) for place in (0, 0.3, 1)} == {int}
    assert (RANK.at(0), RANK.at(1)) == (2, 16)
    assert (RATE.at(0), RATE.at(1)) == (1e-4, 1e-2)


def test_draws_are_different_follow_the_seed_and_end_where_there_are_no_more() -> None:
    drawn = random_configurations((RATE, RANK), 12, 3)
    assert len({words(settings) for settings in drawn}) == 12
    assert drawn == random_configurations((RATE, RANK), 12, 3)
    assert drawn[:5] == random_configurations((RATE, RANK), 5, 3)
    assert drawn != random_configurations((RATE, RANK), 12, 4)
    assert len(random_configurations((KIND,), 50, 0)) == 3


def test_a_bracket_that_goes_on_proposes_as_one_that_never_stopped() -> None:
    def loss(settings: Settings) -> float:
        return (math.log(settings["rate"]) - math.log(3e-3)) ** 2

    bracket = Bracket({"rate": 1e-3}, {"rate": 2.0}, 9)
    whole = run(bracket, loss)
    assert 5 < len(whole) <= 9
    assert run(Bracket({"rate": 1e-3}, {"rate": 2.0}, 9), loss, whole[:4]) == whole
    best = min(whole, key=lambda trial: trial.value or 0.0)
    assert best.settings["rate"] == pytest.approx(3e-3, rel=0.2)


def test_a_bracket_climbs_where_high_is_good_and_walks_away_from_what_failed() -> None:
    climbed = run(Bracket({"x": 1.0}, {"x": 2.0}, 9, lowest=False), lambda s: -abs(s["x"] - 4))
    assert max(climbed, key=lambda trial: trial.value or 0.0).settings["x"] == 4
    failed = Trial(0, {"x": 1.0}, "failed")
    assert Bracket({"x": 1.0}, {"x": 2.0}, 9).propose([failed]) is not None


pytest.importorskip("optuna")


def tpe(folder: Path, name: str = "s", sweep: str = "d", trials: int = 14, **options: object) -> Tpe:
    url = f"sqlite:///{folder / 'o.db'}"
    return Tpe(url, name, sweep, (RATE, RANK, KIND), seed=5, lowest=True, trials=trials, **options)


def loss(settings: Settings) -> float:
    return abs(math.log10(settings["rate"]) + 3) + settings["rank"] / 100


@pytest.mark.slow
def test_tpe_proposes_what_the_axes_hold_and_goes_on_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run(tpe(tmp_path / "a"), loss)
    assert len(whole) == 14
    for trial in whole:
        assert 1e-4 <= trial.settings["rate"] <= 1e-2
        assert trial.settings["kind"] in KIND.values
        assert isinstance(trial.settings["rank"], int)
    first = run(tpe(tmp_path / "b", trials=6), loss)
    again = run(tpe(tmp_path / "b"), loss, first)
    assert [t.settings for t in again] == [t.settings for t in whole]


@pytest.mark.slow
def test_a_trial_that_was_asked_for_and_never_noted_is_proposed_again(tmp_path: Path) -> None:
    lost = tpe(tmp_path).propose([])
    assert tpe(tmp_path).propose([]) == lost


@pytest.mark.slow
def test_a_lost_storage_is_told_everything_again(tmp_path: Path) -> None:
    trials = run(tpe(tmp_path, trials=5), loss)
    (tmp_path / "o.db").unlink()
    search = tpe(tmp_path)
    proposal = search.propose(trials)
    assert proposal is not None
    assert len(search._study.get_trials()) == 6
    assert [t.value for t in search._study.get_trials()[:5]] == [t.value for t in trials]


def test_trials_that_the_record_lacks_are_refused(tmp_path: Path) -> None:
    trials = run(tpe(tmp_path, trials=3), loss)
    tpe(tmp_path).propose(trials)
    with pytest.raises(FlextuneError, match="holds 3 finished trials that the run's folder does not"):
        tpe(tmp_path).propose([])


def test_a_storage_of_another_sweep_is_refused_in_one_line(tmp_path: Path) -> None:
    tpe(tmp_path)
    with pytest.raises(FlextuneError, match="its study 's' was made by another sweep"):
        tpe(tmp_path, sweep="other")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is no address of a database"),
        ("sqlite:////no/such/folder/x.db", "cannot be opened"),
        ("postgresql://me:secret@127.0.0.1:1/x", r"postgresql://me@127.0.0.1:1/x cannot be opened"),
    ],
)
def test_a_storage_that_cannot_be_opened_is_one_line_without_a_password(url: str, said: str) -> None:
    with pytest.raises(FlextuneError, match=said) as error:
        Tpe(url, "s", "d", (RATE,), seed=0, lowest=True, trials=3)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    assert shown_url("postgresql://me:secret@h/x") == "postgresql://me@h/x"
