"""What the template prints: tables, facts and figures, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.records import Comparison, Score
from flextune.report import formats
from flextune.report.figures import losses, outcomes, scores, spectrum
from flextune.report.findings import adjusted, direction
from flextune.report.inputs import Run
from flextune.report.labels import BENCHMARKS, Labels, language_name
from flextune.statistics.summary import setting


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, what it shows, and the element it is drawn into."""

    id: str
    title: str
    figure: go.Figure


def facts(run: Run) -> list[tuple[str, str]]:
    """What was run, as name and value; unknown ones are left out."""
    experiment, environment = run.experiment, run.environment
    train = experiment.get("train") or {}
    trained = [t.seed for t in run.trainings]
    benchmarks = dict.fromkeys(BENCHMARKS.get(s[0], s[0]) for s in run.labels.settings)
    languages = dict.fromkeys(language_name(s[1]) for s in run.labels.settings)
    versions = environment.get("versions") or {}
    hardware = environment.get("hardware") or {}
    found = [
        ("Model", experiment.get("model")),
        ("Trained on", _training_data(train) if trained else None),
        ("Adapter", _adapter(experiment.get("adapter") or {}) if trained else None),
        ("Penalty", _pairs(experiment.get("penalty") or {}) if trained else None),
        ("Arms", ", ".join(run.labels.arms)),
        ("Seeds", ", ".join(dict.fromkeys(trained))),
        ("Evaluated on", f"{', '.join(benchmarks)} in {', '.join(languages)}" if benchmarks else None),
        ("Decoding", "; ".join(dict.fromkeys(s[3] for s in run.labels.settings))),
        ("Command", environment.get("command")),
        ("Commit", environment.get("commit")),
        ("Versions", _pairs(versions)),
        ("Hardware", _pairs(hardware)),
    ]
    return [(name, str(value)) for name, value in found if value]


def score_tables(run: Run) -> list[dict[str, Any]]:
    """One table for each metric: settings down, arms across."""
    held = {(setting(score), score.arm): score for score in run.held.scores}
    metrics = dict.fromkeys(e.metric for score in run.held.scores for e in score.estimates)
    return [
        {
            "metric": metric,
            "rows": [
                {
                    "language": language_name(where[1]),
                    "detail": run.labels.detail(where),
                    "cells": [_score_cell(held.get((where, arm)), metric) for arm in run.labels.arms],
                }
                for where in run.labels.settings
            ],
        }
        for metric in metrics
    ]


def comparison_rows(run: Run) -> list[dict[str, Any]]:
    """The paired tests, in the order of the page."""
    judged = zip(run.held.comparisons, adjusted(run.held.comparisons), strict=True)
    ordered = sorted(judged, key=lambda pair: run.labels.sort_key(pair[0]))
    return [_comparison(comparison, p, run.labels) for comparison, p in ordered]


def interval_methods(run: Run) -> list[str]:
    """How the intervals were made, each method once."""
    used = dict.fromkeys(e.method for score in run.held.scores for e in score.estimates)
    return [method for method in used if method != "none"]


def charts(run: Run) -> dict[str, list[Chart]]:
    """The figures of each section; a section without data has none."""
    bars = scores.rows(run.held.scores, run.labels)
    ends = outcomes.rows(run.held.scores, run.labels)
    return {
        "scores": [Chart("scores", "pass@1 by arm and language", scores.draw(bars, run.labels))]
        if bars
        else [],
        "outcomes": [Chart("outcomes", "How the programs ended", outcomes.draw(ends, run.labels))]
        if ends
        else [],
        "losses": list(_loss_charts(run)),
        "spectrum": list(_spectrum_charts(run)),
    }


def _loss_charts(run: Run) -> Iterator[Chart]:
    curves = losses.rows(run.trainings)
    kinds = {row.kind for row in curves}
    if kinds & {"loss", "eval_loss"}:
        drawn = losses.draw(curves, ("loss", "eval_loss"), run.labels, "task loss, nats per token")
        yield Chart("losses", "Task loss", drawn)
    if "penalty" in kinds:
        yield Chart("penalty", "Penalty", losses.draw(curves, ("penalty",), run.labels, "weighted penalty"))


def _spectrum_charts(run: Run) -> Iterator[Chart]:
    found = spectrum.rows(run.trainings)
    for factor in ("A", "B"):
        if any(row.factor == factor for row in found):
            drawn = spectrum.draw(found, factor, run.labels)
            yield Chart(f"spectrum-{factor}", f"Factor {factor}", drawn)


def spectrum_rows(run: Run) -> list[dict[str, str]]:
    """High-frequency shares beside their null."""
    return [
        {
            "arms": ", ".join(row.arms),
            "factor": row.factor,
            "share": formats.percent(row.high_share),
            "null": formats.percent(row.null_high_share),
            "over": f"{formats.count(row.matrices, 'adapted layer')}, {formats.count(row.seeds, 'seed')}",
        }
        for row in spectrum.rows(run.trainings)
    ]


def _score_cell(score: Score | None, metric: str) -> dict[str, str] | None:
    found = next((e for e in score.estimates if e.metric == metric), None) if score else None
    if score is None or found is None:
        return None
    names = {name for runs in score.outcomes.values() for name in runs}
    return {
        "value": formats.percent(found.value),
        "interval": formats.interval(found.low, found.high),
        "method": found.method,
        "seeds": formats.count(len(score.outcomes), "seed") if "-" not in score.outcomes else "no seed",
        "problems": f"{found.count}" + (f" of {len(names)}" if len(names) > found.count else ""),
    }


def _comparison(comparison: Comparison, adjusted_p: float | None, labels: Labels) -> dict[str, Any]:
    where = setting(comparison)
    return {
        "arm": comparison.arm,
        "language": language_name(where[1]),
        "detail": labels.detail(where),
        "difference": formats.points(comparison.difference),
        "interval": formats.interval(comparison.low, comparison.high, signed=True),
        "p": formats.p_value(comparison.p_value),
        "adjusted": formats.p_value(adjusted_p),
        "direction": direction(comparison, adjusted_p),
        "method": comparison.method,
        "won": comparison.won,
        "lost": comparison.lost,
        "count": comparison.count,
        "left_out": comparison.left_out,
    }


def _training_data(train: dict[str, Any]) -> str:
    data = str(train.get("data") or "")
    parts = [BENCHMARKS.get(data, data)]
    if "language" in train:
        parts.append(language_name(str(train["language"])))
    if data == "rosetta" and train.get("lexicon"):
        parts.append(f"{train['lexicon']} words")
    return ", ".join(part for part in parts if part)


def _adapter(adapter: dict[str, Any]) -> str:
    return f"LoRA: {_pairs(adapter)}" if adapter else ""


def _pairs(held: Any) -> str:
    """``rank 8, alpha 16``; anything but a mapping as it is."""
    if not isinstance(held, dict):
        return str(held)
    shown = {key: _plain(value) for key, value in held.items() if value is not None and value != []}
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in shown.items())


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " + ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
