from __future__ import annotations

import json
import math
from pathlib import Path

import plotly.graph_objects as go
import pytest
from tests.support.optimizer_runs import ADAMW, CONSTANT, LION, MBPP, SOPHIA_G, SOPHIA_H, OptimizerRun, log

from flextune.report.run_data import read_run
from flextune.studies.optimizers.curves import (
    CURVES,
    ArmCurve,
    arm_curves,
    composite_curves,
    draw_composite,
    draw_curve,
)
from flextune.studies.optimizers.figures import optimizer_figures
from flextune.studies.optimizers.groups import Group, optimizer_groups
from flextune.studies.optimizers.rates import arm_trials, draw_rates
from flextune.studies.optimizers.styles import styles


def groups(run: OptimizerRun) -> tuple[Group, ...]:
    return optimizer_groups(read_run(run.write()))


def lines(run: OptimizerRun, curve: str) -> dict[str, ArmCurve]:
    return {row.arm: row for row in arm_curves(groups(run), CURVES[curve])}


def two(path: Path) -> OptimizerRun:
    run = OptimizerRun(path).arm("adamw", ADAMW, {"0": log([1.0, 0.4]), "1": log([1.2, 0.8])})
    return run.arm("sophia", SOPHIA_G, {"0": log([1.0, 0.2], step_seconds=0.6, win_rate_a=0.3)})


def both(path: Path) -> OptimizerRun:
    """Two training data, with an untuned arm beside tuned ones."""
    run = OptimizerRun(path)
    for suffix, train in (("", {"data": "rosetta"}), ("-mbpp", MBPP)):
        arms = {
            "adamw": ADAMW,
            "lion": LION,
            "constant": CONSTANT,
            "g": SOPHIA_G,
            "h": SOPHIA_H,
            "paper": ADAMW,
        }
        for name, optimizer in arms.items():
            run.arm(name + suffix, optimizer, {"0": log([1.0, 0.5], win_rate_a=0.3)}, train=train)
            if name != "paper":
                run.tune(name + suffix, [(1e-3, 0.5), (2e-3, 0.4), (4e-3, None)])
    return run


def test_a_line_is_the_mean_over_seeds_and_its_band_their_range(tmp_path: Path) -> None:
    row = lines(two(tmp_path), "validation-loss")["adamw"]
    assert (row.x, row.seeds) == ((0, 10), 2)
    assert row.mean == pytest.approx((1.1, 0.6))
    assert (row.low, row.high) == ((1.0, 0.4), (1.2, 0.8))


def test_perplexity_is_taken_before_the_mean(tmp_path: Path) -> None:
    row = lines(two(tmp_path), "perplexity")["adamw"]
    assert row.mean[1] == pytest.approx((math.exp(0.4) + math.exp(0.8)) / 2)


def test_over_time_a_step_stands_at_the_seeds_mean_seconds(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("lion", LION, {"0": log([1.0, 0.2])})
    run.arm("adamw", ADAMW, {"0": log([1.0, 0.4], step_seconds=1.0), "1": log([1.0, 0.4], step_seconds=2.0)})
    assert lines(run, "loss-over-seconds")["adamw"].x == (0, 15)


def test_a_line_ends_where_a_seed_has_no_number(tmp_path: Path) -> None:
    run = two(tmp_path).arm("lion", LION, {"0": log([1.0, 0.5, 0.4]), "1": log([1.0, 0.6, None])})
    assert lines(run, "validation-loss")["lion"].x == (0, 10)


def test_an_arm_without_the_number_has_no_line(tmp_path: Path) -> None:
    assert set(lines(two(tmp_path), "win-rate-a")) == {"sophia"}
    assert lines(two(tmp_path / "b"), "win-rate-b") == {}


def test_older_runs_have_no_line_over_time(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0], step_seconds=None)})
    assert lines(run.arm("lion", LION, {"0": log([1.0], step_seconds=None)}), "loss-over-seconds") == {}


@pytest.mark.slow
def test_an_optimizer_has_one_colour_on_all_data_and_an_untuned_arm_a_dash(tmp_path: Path) -> None:
    found = groups(both(tmp_path))
    known = styles(found)
    assert list(known) == ["AdamW", "Lion", "Sophia-constant", "Sophia-G", "Sophia-H", "AdamW, untuned"]
    assert len({style.colour for style in known.values()}) == 5
    assert known["AdamW"].colour == known["AdamW, untuned"].colour
    assert (known["AdamW"].dash, known["AdamW, untuned"].dash) == ("solid", "dash")
    for chart in optimizer_figures(found):
        for trace in chart.figure.data:
            colours = {trace.fillcolor, trace.line.color, trace.marker.color} - {None}
            assert colours == {known[trace.legendgroup].colour}


def test_each_training_data_has_a_panel_and_each_optimizer_one_entry_in_the_legend(tmp_path: Path) -> None:
    rows = arm_curves(groups(both(tmp_path)), CURVES["validation-loss"])
    drawn = draw_curve(rows, CURVES["validation-loss"])
    assert [note.text for note in drawn.layout.annotations] == ["Rosetta", "MBPP, Python"]
    shown = [trace.name for trace in drawn.data if trace.showlegend]
    assert shown == ["AdamW", "Lion", "Sophia-constant", "Sophia-G", "Sophia-H", "AdamW, untuned"]
    assert {trace.xaxis for trace in drawn.data} == {"x", "x2"}


def test_the_composite_has_four_panels_for_each_training_data(tmp_path: Path) -> None:
    found = composite_curves(groups(both(tmp_path)))
    assert {data: list(held) for data, held in found.items()} == {
        data: ["validation-loss", "perplexity", "gradient-norm", "win-rate-a"]
        for data in ("Rosetta", "MBPP, Python")
    }
    titles = [note.text for note in draw_composite(found["Rosetta"]).layout.annotations]
    assert titles == [
        "Validation loss",
        "Perplexity on validation examples",
        "Gradient norm before clipping",
        "Win rate of A",
    ]


def test_without_win_rates_the_training_loss_takes_their_place(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0, 0.5])})
    (held,) = composite_curves(groups(run.arm("lion", LION, {"0": log([1.0, 0.5])}))).values()
    assert list(held) == ["validation-loss", "perplexity", "gradient-norm", "training-loss"]


def test_a_wide_fall_is_drawn_on_a_logarithm_and_a_share_never_is(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path)
    for name, optimizer in (("adamw", ADAMW), ("g", SOPHIA_G)):
        rows = log([9.0, 0.1], win_rate_a=0.9)
        rows.append({"step": 20, "loss": 0.1, "win_rate_a": 0.001})
        run.arm(name, optimizer, {"0": rows})
    found = groups(run)
    axes = {
        name: draw_curve(arm_curves(found, CURVES[name]), CURVES[name]).layout.yaxis
        for name in ("validation-loss", "win-rate-a", "gradient-norm")
    }
    assert [axis.type for axis in axes.values()] == ["log", None, None]


def trials(run: OptimizerRun) -> go.Figure:
    return draw_rates(arm_trials(groups(run)))


def test_trials_stand_over_their_learning_rates_with_the_best_marked(tmp_path: Path) -> None:
    run = two(tmp_path)
    run.tune("adamw", [(4e-3, 0.25), (1e-3, 0.30), (2e-3, 0.20)])
    (row,) = arm_trials(groups(run))
    assert [(trial.rate, trial.loss) for trial in row.trials] == [(1e-3, 0.30), (2e-3, 0.20), (4e-3, 0.25)]
    assert row.best is not None
    assert row.best.rate == 2e-3
    figure = trials(run)
    assert figure.layout.xaxis.type == "log"
    (ring,) = (trace for trace in figure.data if trace.marker.symbol == "circle-open")
    assert (ring.x, ring.y) == ((2e-3,), (0.20,))


def test_a_diverged_trial_is_a_cross_above_all_losses(tmp_path: Path) -> None:
    run = two(tmp_path)
    run.tune("adamw", [(1e-3, 0.30), (2e-3, 0.20), (8e-3, None)])
    figure = trials(run)
    (cross,) = (trace for trace in figure.data if trace.marker.symbol == "x-thin-open")
    assert cross.x == (8e-3,)
    assert cross.y[0] > 0.30
    assert "diverged" in cross.hovertemplate
    (line,) = (trace for trace in figure.data if trace.mode == "lines")
    assert line.x == (1e-3, 2e-3)


def test_the_tuning_line_joins_the_best_of_each_rate_where_more_was_searched(tmp_path: Path) -> None:
    run = two(tmp_path)
    found = [(1e-3, 1.0, 0.5), (1e-3, 8.0, 0.3), (2e-3, 1.0, 0.4)]
    rows = [
        {
            "settings": {"train.learning_rate": rate, "optimizer.gamma": gamma},
            "eval_loss": loss,
            "training": "t",
        }
        for rate, gamma, loss in found
    ]
    run.tuned["sophia"] = {"settings": rows[1]["settings"], "interior": False, "trials": rows}
    (row,) = arm_trials(groups(run))
    assert row.best is not None
    assert (row.best.loss, row.best.settings) == (0.3, "learning rate 0.001, gamma 8")
    (line,) = (trace for trace in trials(run).data if trace.mode == "lines")
    assert (line.x, line.y) == ((1e-3, 2e-3), (0.3, 0.4))


def test_where_every_trial_diverged_there_is_still_a_figure(tmp_path: Path) -> None:
    run = two(tmp_path)
    settings = {"train.learning_rate": 1.0}
    trial = {"settings": settings, "eval_loss": None, "training": "t"}
    run.tuned["adamw"] = {"settings": settings, "interior": False, "trials": [trial]}
    assert len(trials(run).data) == 3


def test_without_a_tuned_rate_there_is_no_tuning_figure(tmp_path: Path) -> None:
    names = [chart.id for chart in optimizer_figures(groups(two(tmp_path)))]
    assert names == [
        "composite-1", "training-loss", "validation-loss", "perplexity", "gradient-norm", "win-rate-a",
        "loss-over-seconds",
    ]  # fmt: skip


@pytest.mark.slow
def test_markup_in_an_arms_name_is_text_in_every_figure(tmp_path: Path) -> None:
    run = both(tmp_path)
    path = run.write()
    for name in ("scores.json", "tuned.json"):
        text = (path / name).read_text().replace('"adamw"', '"<b>adamw</b>"')
        (path / name).write_text(text)
    found = optimizer_groups(read_run(path))
    assert any(arm.name == "<b>adamw</b>" for group in found for arm in group.arms)
    for chart in optimizer_figures(found):
        json.loads(chart.figure.to_json())
        assert "<b>" not in chart.figure.to_json()
