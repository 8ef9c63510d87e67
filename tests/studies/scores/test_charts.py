from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flextune.records import Outcome, Score
from flextune.report.labels import labels
from flextune.report.run_data import TrainedAdapter, read_run
from flextune.statistics.summary import estimate
from flextune.studies.scores import comparisons
from flextune.studies.scores.comparisons import wins_charts
from flextune.studies.scores.estimates import draw_scores, score_bars
from flextune.studies.scores.losses import LossCurve, draw_losses, loss_curves
from flextune.studies.scores.outcomes import draw_outcomes, outcome_shares
from flextune.studies.scores.spectra import mean_spectra


def training(log: list[dict[str, Any]], matrices: list[dict[str, Any]] | None = None) -> TrainedAdapter:
    return TrainedAdapter("k", ("flex",), "0", tuple(log), tuple(matrices or ()))


def matrix(power: list[float], factor: str = "A") -> dict[str, Any]:
    return {"name": "m", "factor": factor, "power": power, "high_share": 0.4, "permuted_high_share": 0.5}


def test_score_bars_are_the_estimates_in_percent(finished_run: Path) -> None:
    run = read_run(finished_run)
    found = score_bars(run.scores, run.labels)
    drawn = draw_scores(found, run.labels)
    assert len(found) == len(run.scores)
    assert [bar.name for bar in drawn.data] == ["baseline", "lora", "flex", "flex-merged"]
    first = next(row for row in found if row.arm == "lora")
    assert first.low is not None
    assert first.high is not None
    bar = drawn.data[1]
    assert bar.x[0] - bar.error_x.arrayminus[0] == pytest.approx(100 * first.low)
    assert bar.x[0] + bar.error_x.array[0] == pytest.approx(100 * first.high)


def test_an_undefined_score_has_no_bar() -> None:
    unknown = estimate(Score("a", "rosetta", "py", None, "greedy", {"-": {"p": ["sandbox_fault"]}}))
    assert math.isnan(unknown.estimates[0].value)
    assert score_bars([unknown], labels(None, [unknown], "a")) == []


def test_markup_in_an_arms_name_is_shown_as_text() -> None:
    hostile = estimate(Score('<b onclick="x">', "rosetta", "py", None, "greedy", {"-": {"p": ["passed"]}}))
    names = labels(None, [hostile], hostile.arm)
    assert "<b" not in draw_scores(score_bars([hostile], names), names).to_json()


def test_loss_curves_keep_training_held_out_and_penalty_apart() -> None:
    found = loss_curves(
        [training([{"step": 5, "loss": 2.0, "penalty": 0.1}, {"step": 10, "eval_loss": 1.5}, {"step": 10}])]
    )
    assert [(row.kind, row.steps, row.values) for row in found] == [
        ("loss", (5,), (2.0,)),
        ("eval_loss", (10,), (1.5,)),
        ("penalty", (5,), (0.1,)),
    ]


def test_a_penalty_of_zero_and_a_loss_of_nan_are_no_points() -> None:
    log = [{"step": 1, "loss": 1.0, "penalty": 0.0}, {"step": 2, "loss": math.nan, "penalty": 0.0}]
    assert [(row.kind, row.steps) for row in loss_curves([training(log)])] == [("loss", (1,))]


def test_seeds_are_one_line_their_mean_with_their_range_around_it() -> None:
    curves = [
        LossCurve(("flex",), "0", "loss", (5, 10), (2.0, 1.0)),
        LossCurve(("flex",), "1", "loss", (5, 10, 15), (4.0, 1.5, 0.5)),
    ]
    names = labels(None, [Score("flex", "b", "py", None, "greedy")], "base")
    band, mean = draw_losses(curves, ("loss",), names, "loss").data
    assert (mean.x, mean.y) == ((5, 10, 15), (3.0, 1.25, 0.5))
    assert band.y == (4.0, 1.5, 0.5, 0.5, 1.0, 2.0)
    (alone,) = draw_losses(curves[:1], ("loss",), names, "loss").data
    assert alone.y == (2.0, 1.0)


def test_a_matrix_without_order_is_flat_at_one() -> None:
    (row,) = mean_spectra([training([], [matrix([7.0] * 64), matrix([0.1] * 16)])])
    assert np.allclose(row.power, 1.0)
    assert row.matrices == 2


def test_power_is_relative_to_each_matrix_so_that_large_ones_do_not_drown_small_ones() -> None:
    (row,) = mean_spectra([training([], [matrix([3e6, 1e6]), matrix([1e-6, 3e-6])])])
    assert row.power == pytest.approx((1.0, 1.0))


def test_spectra_are_averaged_over_seeds_and_factors_stay_apart() -> None:
    one = training([], [matrix([3.0, 1.0]), matrix([1.0, 1.0], "B")])
    two = training([], [matrix([1.0, 1.0]), matrix([1.0, 1.0], "B")])
    a, b = mean_spectra([one, two])
    assert (a.factor, a.seeds, a.power) == ("A", 2, pytest.approx((1.25, 0.75)))
    assert (b.factor, b.power) == ("B", (1.0, 1.0))


@pytest.mark.parametrize("power", [[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_a_matrix_without_a_spectrum_is_skipped(power: list[float]) -> None:
    assert mean_spectra([training([], [matrix(power)])]) == []


def test_outcome_shares_of_a_bar_add_up_and_unknown_ones_are_shown() -> None:
    samples: dict[str, list[Outcome]] = {"a": ["passed", "timeout"], "b": ["sandbox_fault", "passed"]}
    score = Score("x", "rosetta", "py", None, "greedy", {"0": samples})
    found = outcome_shares([score], labels(None, [score], "x"))
    assert [(row.outcome, row.programs, row.share) for row in found] == [
        ("passed", 2, 0.5),
        ("timeout", 1, 0.25),
        ("sandbox_fault", 1, 0.25),
    ]


def test_every_bar_of_the_outcomes_reaches_100_percent(finished_run: Path) -> None:
    run = read_run(finished_run)
    drawn = draw_outcomes(outcome_shares(run.scores, run.labels))
    assert np.sum([segment.x for segment in drawn.data], axis=0) == pytest.approx(100.0)
    assert drawn.data[0].name == "passed"


def test_wins_and_losses_are_those_of_every_comparison(finished_run: Path) -> None:
    run = read_run(finished_run)
    (chart,) = wins_charts(run.comparisons, run.labels)
    lost, won = chart.figure.data
    assert list(won.x) == [len(c.won) for c in run.comparisons]
    assert list(lost.x) == [-len(c.lost) for c in run.comparisons]
    assert "lora − baseline, Python old words" in won.y


def test_of_many_comparisons_the_primary_ones_have_bars(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read_run(finished_run)
    rows = [replace(c, primary=c.arm == "flex") for c in run.comparisons]
    monkeypatch.setattr(comparisons, "MOST_BARS", 10)
    (chart,) = wins_charts(rows, run.labels)
    assert {place.split(" ")[0] for place in chart.figure.data[0].y} == {"flex"}
    assert wins_charts([], run.labels) == ()
