"""How an experiment trained, in words: adapter, recipe, optimizer, penalty, what was searched."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from flextune.config import Experiment, TrainConfig
from flextune.config.section import Section
from flextune.progress import duration
from flextune.report import formats
from flextune.report.run_data import JsonObject, RunData
from flextune.report.settings_text import optimizer_options, pairs, plain, setting_name, training_data

#: Kinds of penalty that are controls, of the penalty's own trace unless an arm is matched in another way.
CONTROLS = ("l2", "permuted", "reversed")
#: Settings of an adapter that are always said.
_OF_EVERY_ADAPTER = ("rank", "alpha", "dropout", "targets")
#: Settings of ``train`` that have a fact, or a place in one, of their own.
_SAID = {
    "data", "language", "lexicon", "limit", "epochs", "max_steps", "batch_size", "learning_rate",
    "gradient_accumulation_steps", "lr_scheduler_type", "logging_steps",
}  # fmt: skip


def training_facts(run: RunData) -> list[tuple[str, str]]:
    """Names and values; values may be empty."""
    experiment = run.experiment
    if experiment is None:
        return [("Trained on", "; ".join(_training_data(run))), ("Tuned", "; ".join(_tuned(run.tuned)))]
    return [
        ("Trained on", "; ".join(_training_data(run))),
        ("Adapter", _adapter(run, experiment)),
        ("Training", _recipe(run, experiment)),
        ("Optimizer", "; ".join(_optimizers(experiment))),
        ("Penalty", _penalty(experiment)),
        ("Tuned", "; ".join(_tuned(run.tuned))),
        ("Controls", "; ".join(_controls(run, experiment))),
        ("Trainings", _durations(run)),
    ]


def _adapter(run: RunData, experiment: Experiment) -> str:
    trained = {number for training in run.trainings if (number := _parameters(run, training.key))}
    numbers = " or ".join(f"{number:,}" for number in sorted(trained))
    adapters = [arm.adapter for arm in _training_arms(experiment)]
    shown = _together([_shown(adapter) for adapter in adapters if adapter is not None])
    kinds = [f"LoRA: {pairs(shown)}" if shown else "", "none: all weights" if None in adapters else ""]
    return "; ".join(filter(None, kinds)) + (f"; {numbers} trained parameters" if numbers else "")


def _training_arms(experiment: Experiment) -> list[Experiment]:
    """The arms that train; of an experiment where none does, that itself."""
    return [arm for arm in experiment.resolved_arms() if arm.train is not None] or [experiment]


def _together(sections: list[JsonObject]) -> JsonObject:
    """Each setting with its values in all sections, in the order of the sections: ``rank 8 or 16``."""
    values: dict[str, list[str]] = {}
    for section in sections:
        for key, value in section.items():
            known, text = values.setdefault(key, []), plain(value)
            if value is not None and value != [] and text not in known:
                known.append(text)
    return {key: " or ".join(known) for key, known in values.items() if known}


def _shown(adapter: Section) -> JsonObject:
    """What every adapter has, and what of the rest is not as by default."""
    given = adapter.model_dump(mode="json", exclude_defaults=True)
    return {key: value for key, value in _json(adapter).items() if key in _OF_EVERY_ADAPTER or key in given}


def _parameters(run: RunData, key: str) -> int:
    """Numbers in an adapter's file, by its header; 0 where there is none."""
    file: Path = run.run.trained(key).adapter / "adapter_model.safetensors"
    if not file.is_file():
        return 0
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        # A damaged file is the business of whoever loads it.
        try:
            header = json.loads(stream.read(size))
        except (ValueError, MemoryError, OverflowError):
            return 0
    return sum(math.prod(part["shape"]) for name, part in header.items() if name != "__metadata__")


def _recipe(run: RunData, experiment: Experiment) -> str:
    """Learning rate, steps and batch first; then what differs from the defaults."""
    trains = [arm.train for arm in _training_arms(experiment) if arm.train is not None]
    if not trains:
        return ""
    steps = sorted({int(row["step"]) for t in run.trainings for row in t.log[-1:] if "step" in row})
    batches = dict.fromkeys(_batch(train) for train in trains)
    schedules = dict.fromkeys(train.lr_scheduler_type for train in trains)
    examples = sorted({int(t.settings["examples"]) for t in run.trainings if "examples" in t.settings})
    others = [train.model_dump(mode="json", exclude_defaults=True, exclude=_SAID) for train in trains]
    used = [t.settings.get("train", {}).get("learning_rate") for t in run.trainings]
    rates = sorted({float(rate) for rate in used if rate is not None}) or [trains[0].learning_rate]
    # Tuned arms have one each; the fact "Tuned" says which.
    rate = f"{rates[0]:g}" if len(rates) == 1 else f"{rates[0]:g} to {rates[-1]:g}"
    parts = [
        f"learning rate {rate} ({' or '.join(schedules)})",
        f"{_or(steps)} steps" if steps else "",
        f"batch size {' or '.join(batches)}",
        f"{_or(examples)} examples" if examples else "",
        pairs(_together(others)),
    ]
    return ", ".join(part for part in parts if part)


def _batch(train: TrainConfig) -> str:
    accumulated = train.gradient_accumulation_steps
    return f"{train.batch_size}" + (f" × {accumulated}" if accumulated > 1 else "")


def _or(numbers: list[int]) -> str:
    return " or ".join(f"{number:,}" for number in numbers)


def _durations(run: RunData) -> str:
    """How many trainings, and how long they took by their logs."""
    seconds = [max((float(row.get("seconds") or 0) for row in t.log), default=0.0) for t in run.trainings]
    known = [value for value in seconds if value > 0]
    if not known:
        return formats.count(len(seconds), "training") if seconds else ""
    mean = duration(sum(known) / len(known))
    return f"{formats.count(len(known), 'training')}, {mean} each, {duration(sum(known))} in all"


def _penalty(experiment: Experiment) -> str:
    """What differs from the defaults, behind kind and strength; arms with another one have theirs."""
    parts = [f"{arm.name}: {text}" for arm in experiment.resolved_arms() if (text := _one_penalty(arm))]
    texts = {part.partition(": ")[2] for part in parts}
    if len(texts) == 1:
        arms = ", ".join(part.partition(": ")[0] for part in parts)
        return f"{texts.pop()} ({arms})"
    return "; ".join(parts)


def _one_penalty(arm: Experiment) -> str:
    penalty = arm.penalty
    if penalty is None or arm.train is None or not penalty.strength:
        return ""
    given = {key: value for key, value in penalty.given().items() if key not in ("kind", "strength")}
    return ", ".join(
        part for part in (f"{penalty.kind}, strength {plain(penalty.strength)}", pairs(given)) if part
    )


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
