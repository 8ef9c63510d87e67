"""pass@k of every arm in every setting, with its interval: as bars and as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.languages import language_name
from flextune.records import Estimate, Score
from flextune.report import formats
from flextune.report.charts.bars import Bar, Series, draw_grouped_bars
from flextune.report.labels import Labels
from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Fragment, Section, asset
from flextune.statistics.tally import setting


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """One bar; shares in [0, 1].

    Attributes:
        arm: The arm.
        where: Name of the setting.
        value: The estimate.
        low: Lower end of its interval; None where there is none.
        high: Upper end.
        count: Problems behind it.
    """

    arm: str
    where: str
    value: float
    low: float | None
    high: float | None
    count: int


def scores_section(run: RunData) -> Section:
    """Bars of pass@1, and a table for each metric."""
    bars = score_bars(run.scores, run.labels)
    values = {
        "arms": run.labels.arms,
        "score_tables": _score_tables(run),
        "interval_methods": _interval_methods(run.scores),
    }
    template = asset("flextune.studies.scores", "templates/scores.html.j2")
    charts = (Chart("scores", "pass@1 by arm and language", draw_scores(bars, run.labels)),) if bars else ()
    return Section(id="scores", title="Scores", order=20, charts=charts, fragment=Fragment(template, values))


def score_bars(scores: Sequence[Score], labels: Labels, metric: str = "pass@1") -> list[ScoreBar]:
    """One bar for each score that has the metric, in the order of the page."""
    return [
        ScoreBar(
            score.arm,
            labels.name(setting(score)),
            estimate.value,
            estimate.low,
            estimate.high,
            estimate.count,
        )
        for score in sorted(scores, key=labels.sort_key)
        for estimate in score.estimates
        if estimate.metric == metric and not math.isnan(estimate.value)
    ]


def draw_scores(bars: Sequence[ScoreBar], labels: Labels, metric: str = "pass@1") -> go.Figure:
    """Bars grouped by setting, one colour an arm."""
    series = [
        Series(
            arm,
            labels.style(arm).colour,
            tuple(_percent(bar) for bar in bars if bar.arm == arm),
            labels.style(arm).pattern,
        )
        for arm in labels.arms
    ]
    hover = "%{y}<br>%{x:.1f} %{customdata[0]}<br>%{customdata[1]} problems"
    return draw_grouped_bars(series, x=f"{metric}, %", hover=hover)


def pass_at_1(score: Score) -> Estimate | None:
    """The score's estimate of pass@1."""
    return next((estimate for estimate in score.estimates if estimate.metric == "pass@1"), None)


def _percent(bar: ScoreBar) -> Bar:
    low, high = (None if end is None else 100 * end for end in (bar.low, bar.high))
    interval = "%" if low is None or high is None else f"% [{low:.1f}, {high:.1f}]"
    return Bar(bar.where, 100 * bar.value, low, high, (interval, bar.count))


def _score_tables(run: RunData) -> list[dict[str, Any]]:
    """One table for each metric: settings down, arms across."""
    by_place = {(setting(score), score.arm): score for score in run.scores}
    metrics = dict.fromkeys(e.metric for score in run.scores for e in score.estimates)
    return [
        {
            "metric": metric,
            "rows": [
                {
                    "language": language_name(where[1]),
                    "detail": run.labels.detail(where),
                    "cells": [_score_cell(by_place.get((where, arm)), metric) for arm in run.labels.arms],
                }
                for where in run.labels.settings
            ],
        }
        for metric in metrics
    ]


def _score_cell(score: Score | None, metric: str) -> dict[str, str] | None:
    estimate = next((e for e in score.estimates if e.metric == metric), None) if score else None
    if score is None or estimate is None:
        return None
    names = {name for runs in score.outcomes.values() for name in runs}
    return {
        "value": formats.percent(estimate.value),
        "interval": formats.interval(estimate.low, estimate.high),
        "method": estimate.method,
        "seeds": formats.count(len(score.outcomes), "seed") if "-" not in score.outcomes else "no seed",
        "problems": f"{estimate.count}" + (f" of {len(names)}" if len(names) > estimate.count else ""),
    }


def _interval_methods(scores: Sequence[Score]) -> list[str]:
    """How the intervals were made, each method once."""
    methods = dict.fromkeys(estimate.method for score in scores for estimate in score.estimates)
    return [method for method in methods if method != "none"]
