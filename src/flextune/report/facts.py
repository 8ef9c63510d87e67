"""What was run: model, data, settings, versions, hardware."""

from __future__ import annotations

from typing import Any

from flextune.report import formats
from flextune.report.labels import BENCHMARKS, language_name
from flextune.report.run_data import JsonObject, RunData
from flextune.report.settings_text import optimizer_options, pairs, setting_name, training_data

#: Facts that are code.
AS_CODE = ("Command", "Commit")


def facts(run: RunData) -> list[tuple[str, str]]:
    """Names and values; unknown ones are left out."""
    experiment, environment = run.experiment, run.environment
    seeds = [training.seed for training in run.trainings]
    benchmarks = dict.fromkeys(BENCHMARKS.get(s[0], s[0]) for s in run.labels.settings)
    languages = dict.fromkeys(language_name(s[1]) for s in run.labels.settings)
    values = [
        ("Model", experiment.get("model")),
        ("Trained on", "; ".join(_training_data(run)) if seeds else None),
        ("Adapter", _adapter(experiment.get("adapter") or {}) if seeds else None),
        ("Optimizer", "; ".join(_optimizers(experiment)) if seeds else None),
        ("Tuned", "; ".join(_tuned(run.tuned)) if seeds else None),
        ("Penalty", pairs(experiment.get("penalty") or {}) if seeds else None),
        ("Arms", ", ".join(run.labels.arms)),
        ("Seeds", ", ".join(dict.fromkeys(seeds))),
        ("Evaluated on", f"{', '.join(benchmarks)} in {', '.join(languages)}" if benchmarks else None),
        ("Decoding", "; ".join(dict.fromkeys(s[3] for s in run.labels.settings))),
        ("Command", environment.get("command")),
        ("Commit", environment.get("commit")),
        ("Date", environment.get("date")),
        ("Versions", pairs(environment.get("versions") or {})),
        ("Hardware", pairs(environment.get("hardware") or {})),
    ]
    return [(name, str(value)) for name, value in values if value]


def _training_data(run: RunData) -> list[str]:
    """Each training data once; what a run's trainings say before what its experiment does."""
    texts = [training_data(training.settings.get("train") or {}) for training in run.trainings]
    return list(dict.fromkeys(filter(None, texts))) or [training_data(run.experiment.get("train") or {})]


def _adapter(adapter: JsonObject) -> str:
    return f"LoRA: {pairs(adapter)}" if adapter else ""


def _optimizers(experiment: JsonObject) -> list[str]:
    """The experiment's, then what arms have in its place; options at their defaults are left out."""
    base = experiment.get("optimizer") or {}
    arms = [arm for arm in experiment.get("arms") or [] if isinstance(arm, dict) and arm.get("optimizer")]
    own = [f"{arm.get('name')}: {_optimizer(arm['optimizer'], arm['optimizer'])}" for arm in arms]
    return [_optimizer(base, optimizer_options(base)), *own] if base else own


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
