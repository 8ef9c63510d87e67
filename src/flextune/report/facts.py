"""What was run: model, data, settings, versions, hardware."""

from __future__ import annotations

from typing import Any

from flextune.config import Experiment
from flextune.config.section import Section
from flextune.languages import language_name
from flextune.report import formats
from flextune.report.labels import benchmark_title
from flextune.report.run_data import JsonObject, RunData
from flextune.report.settings_text import optimizer_options, pairs, setting_name, training_data

#: Kinds of penalty that are controls, of the penalty's own trace unless an arm is matched in another way.
CONTROLS = ("l2", "permuted", "reversed")
#: Facts that are code.
AS_CODE = ("Command", "Commit")


def facts(run: RunData) -> list[tuple[str, str]]:
    """Names and values; unknown ones are left out."""
    environment, seeds = run.environment, [training.seed for training in run.trainings]
    benchmarks = dict.fromkeys(benchmark_title(s[0]) for s in run.labels.settings)
    languages = dict.fromkeys(language_name(s[1]) for s in run.labels.settings)
    values = [
        ("Model", run.experiment.model if run.experiment else None),
        *(_training_facts(run) if seeds else ()),
        ("Arms", ", ".join(run.labels.arms)),
        ("Seeds", ", ".join(dict.fromkeys(seeds))),
        ("Evaluated on", f"{', '.join(benchmarks)} in {', '.join(languages)}" if benchmarks else None),
        ("Decoding", "; ".join(dict.fromkeys(s[3] for s in run.labels.settings))),
        ("Prompts", ", ".join(run.prompts())),
        ("Command", environment.get("command")),
        ("Commit", environment.get("commit")),
        ("Date", environment.get("date")),
        ("Versions", pairs(environment.get("versions") or {})),
        ("Hardware", pairs(environment.get("hardware") or {})),
    ]
    return [(name, str(value)) for name, value in values if value]


def _training_facts(run: RunData) -> list[tuple[str, str]]:
    experiment = run.experiment
    if experiment is None:
        return [("Trained on", "; ".join(_training_data(run))), ("Tuned", "; ".join(_tuned(run.tuned)))]
    return [
        ("Trained on", "; ".join(_training_data(run))),
        ("Adapter", f"LoRA: {pairs(_json(experiment.adapter))}"),
        ("Optimizer", "; ".join(_optimizers(experiment))),
        ("Tuned", "; ".join(_tuned(run.tuned))),
        ("Penalty", pairs(_json(experiment.penalty)) if experiment.penalty else ""),
        ("Controls", "; ".join(_controls(run, experiment))),
    ]


def _controls(run: RunData, experiment: Experiment) -> list[str]:
    """How the penalties' controls are matched with the penalty, and arms with another arm's update."""
    searched = run.run.matched
    arms = searched.get("arms") or {}
    of_trace = [
        arm.name
        for arm in experiment.resolved_arms()
        if arm.penalty is not None and arm.penalty.kind in CONTROLS and arm.name not in arms
    ]
    lines = [f"{', '.join(of_trace)}: matched by trace"] if of_trace else []
    for name, row in arms.items():
        norm = f"norm {row['norm']:.3g}, {searched['arm']}'s {searched['norm']:.3g}"
        missed = "" if row.get("within") else ", outside of the tolerance"
        setting = pairs({setting_name(row["setting"]): row["value"]})
        lines.append(
            f"{name}: matched by the update's norm ({setting}: {norm}, seed {searched['seed']}{missed})"
        )
    return lines


def _training_data(run: RunData) -> list[str]:
    """Each training data once; what a run's trainings say before what its experiment does."""
    texts = [training_data(training.settings.get("train") or {}) for training in run.trainings]
    if any(texts):
        return list(dict.fromkeys(filter(None, texts)))
    train = run.experiment.train if run.experiment else None
    return [training_data(_json(train))] if train else []


def _optimizers(experiment: Experiment) -> list[str]:
    """The experiment's, then what arms have in its place; options at their defaults are left out."""
    base = experiment.optimizer.options()
    own = {arm.name: arm.settings["optimizer"] for arm in experiment.arms if arm.settings.get("optimizer")}
    arms = [f"{name}: {_optimizer(section, section)}" for name, section in own.items()]
    return [_optimizer(base, optimizer_options(base)), *arms]


def _optimizer(section: JsonObject, options: dict[str, Any]) -> str:
    text = pairs({key: value for key, value in options.items() if key != "name"})
    return ", ".join(part for part in (section.get("name"), text) if part)


def _tuned(tuned: JsonObject) -> list[str]:
    """The best settings of each arm, and what finding them took."""
    return [
        f"{name}: "
        + pairs({setting_name(key): value for key, value in (search.get("settings") or {}).items()})
        + f" ({formats.count(len(search.get('trials') or ()), 'training')})"
        for name, search in (tuned.get("arms") or {}).items()
    ]


def _json(section: Section) -> JsonObject:
    return section.model_dump(mode="json")
