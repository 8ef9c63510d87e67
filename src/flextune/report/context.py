"""What the template prints: tables, facts and figures, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from flextune.languages import language_name
from flextune.records import Comparison, Score
from flextune.report import formats
from flextune.report.figures import losses, outcomes, scores, spectrum
from flextune.report.findings import adjusted, direction
from flextune.report.inputs import Run
from flextune.report.labels import Labels, benchmark_title
from flextune.report.optimizers.claims import causes, tuning_notes, verdicts
from flextune.report.optimizers.drawn import optimizer_figures
from flextune.report.optimizers.groups import optimizer_groups
from flextune.report.optimizers.paper import paper_table
from flextune.report.optimizers.tables import group_tables
from flextune.report.wording import optimizer_options, pairs, setting_name, training_data
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
    trained = [t.seed for t in run.trainings]
    benchmarks = dict.fromkeys(benchmark_title(s[0]) for s in run.labels.settings)
    languages = dict.fromkeys(language_name(s[1]) for s in run.labels.settings)
    versions = environment.get("versions") or {}
    hardware = environment.get("hardware") or {}
    found = [
        ("Model", experiment.get("model")),
        ("Trained on", "; ".join(_trained_on(run)) if trained else None),
        ("Adapter", _adapter(experiment.get("adapter") or {}) if trained else None),
        ("Optimizer", "; ".join(_optimizers(run)) if trained else None),
        ("Tuned", "; ".join(_tuned(run)) if trained else None),
        ("Penalty", pairs(experiment.get("penalty") or {}) if trained else None),
        ("Arms", ", ".join(run.labels.arms)),
        ("Seeds", ", ".join(dict.fromkeys(trained))),
        ("Evaluated on", f"{', '.join(benchmarks)} in {', '.join(languages)}" if benchmarks else None),
        ("Decoding", "; ".join(dict.fromkeys(s[3] for s in run.labels.settings))),
        ("Command", environment.get("command")),
        ("Commit", environment.get("commit")),
        ("Date", environment.get("date")),
        ("Versions", pairs(versions)),
        ("Hardware", pairs(hardware)),
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
        "optimizers": [
            Chart(f"optimizer-{name}", title, drawn)
            for name, title, drawn in optimizer_figures(optimizer_groups(run))
        ],
        "spectrum": list(_spectrum_charts(run)),
    }


def optimizers(run: Run) -> dict[str, Any]:
    """What the run says about its optimizers, by training data; empty where it compares none."""
    groups = optimizer_groups(run)
    if not groups:
        return {}
    return {
        "groups": [
            {
                "name": group.name,
                "verdicts": verdicts(group),
                "causes": causes(group),
                "notes": tuning_notes(group),
                "tables": group_tables(group, run),
            }
            for group in groups
        ],
        "paper": paper_table(groups),
    }


def _loss_charts(run: Run) -> Iterator[Chart]:
    # With several optimizers, arms have figures of their own, where lines do not crowd.
    shown = {arm.name for group in optimizer_groups(run) for arm in group.arms}
    curves = losses.rows([training for training in run.trainings if shown.isdisjoint(training.arms)])
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


def _trained_on(run: Run) -> list[str]:
    """Each training data once; what a run's trainings say before what its experiment does."""
    said = [training_data(training.settings.get("train") or {}) for training in run.trainings]
    return list(dict.fromkeys(filter(None, said))) or [training_data(run.experiment.get("train") or {})]


def _adapter(adapter: dict[str, Any]) -> str:
    return f"LoRA: {pairs(adapter)}" if adapter else ""


def _optimizers(run: Run) -> list[str]:
    """The experiment's, then what arms have in its place; options at their defaults are left out."""
    base = run.experiment.get("optimizer") or {}
    arms = [arm for arm in run.experiment.get("arms") or [] if isinstance(arm, dict) and arm.get("optimizer")]
    own = [f"{arm.get('name')}: {_optimizer(arm['optimizer'], arm['optimizer'])}" for arm in arms]
    return [_optimizer(base, optimizer_options(base)), *own] if base else own


def _optimizer(section: dict[str, Any], options: dict[str, Any]) -> str:
    told = pairs({key: value for key, value in options.items() if key != "name"})
    return ", ".join(part for part in (section.get("name"), told) if part)


def _tuned(run: Run) -> list[str]:
    """The best settings of each arm, and what finding them took."""
    return [
        f"{name}: "
        + pairs({setting_name(key): value for key, value in (found.get("settings") or {}).items()})
        + f" ({formats.count(len(found.get('trials') or ()), 'training')})"
        for name, found in (run.tuned.get("arms") or {}).items()
    ]
