"""Arms of a run that compares optimizers, grouped by what they train on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flextune.report.run_data import JsonObject, RunData, TrainedAdapter
from flextune.report.settings_text import training_data
from flextune.studies.base import once_per_run
from flextune.studies.optimizers.families import REFERENCE, family, family_name
from flextune.studies.optimizers.training_numbers import (
    QUIET,
    TrainingNumbers,
    core_share,
    finite,
    on_cpu_clock,
    training_numbers,
)


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm over its seeds.

    Attributes:
        name: As in the experiment.
        label: In the legends, where arms on other data share it: the optimizer, and what sets the arm apart.
        settings: What its trainings' keys stand for, seed apart.
        tuned: Its part of tuned.json; empty where it was not tuned.
        numbers: By seed.
        logs: Rows of training.jsonl, by seed.
    """

    name: str
    label: str
    settings: JsonObject
    tuned: JsonObject
    numbers: dict[str, TrainingNumbers] = field(default_factory=dict)
    logs: dict[str, tuple[JsonObject, ...]] = field(default_factory=dict)

    @property
    def optimizer(self) -> JsonObject:
        """Name and options."""
        section: JsonObject = self.settings["optimizer"]
        return section

    @property
    def family(self) -> str:
        """One of ``FAMILIES``, or a name that is not known here."""
        return family_name(self.optimizer)

    @property
    def learning_rate(self) -> float | None:
        """The base rate of its schedule."""
        return finite((self.settings.get("train") or {}).get("learning_rate"))

    @property
    def steps(self) -> int:
        """Steps of its schedule; 0 where epochs decide."""
        return int((self.settings.get("train") or {}).get("max_steps") or 0)

    @property
    def betas(self) -> str:
        """Decay of its averages, as text."""
        return " / ".join(f"{beta:g}" for beta in self.optimizer.get("betas") or ())

    @property
    def gamma(self) -> float | None:
        """Sophia's; None for others."""
        return finite(self.optimizer.get("gamma"))

    def values(self, name: str) -> list[float]:
        """One field of ``TrainingNumbers``, over the seeds that have it."""
        values = (getattr(numbers, name) for numbers in self.numbers.values())
        return [value for value in values if value is not None]


@dataclass(frozen=True, slots=True)
class Group:
    """Arms that differ in optimizer, tuned settings and the length of the schedule alone.

    Attributes:
        name: What they train on.
        arms: In the experiment's order.
        reference: The tuned AdamW, else the first, of the longest schedule; None where there is none.
        core_share: Part of the trainings' seconds in which their process ran, where that is so small that
            other work was in the way: then all seconds here are the processor's. None: the clock's.
    """

    name: str
    arms: tuple[Arm, ...]
    reference: Arm | None
    core_share: float | None = None

    @property
    def clock(self) -> str:
        """What the seconds are called."""
        return "seconds" if self.core_share is None else "CPU seconds"

    def partner(self, arm: Arm) -> Arm | None:
        """The AdamW that was left untuned, for an arm that was too; None where neither is set apart so."""
        if arm.tuned or arm.family == REFERENCE or self.reference is None or not self.reference.tuned:
            return None
        return next(
            (other for other in self.peers(arm) if other.family == REFERENCE and not other.tuned), None
        )

    def peers(self, arm: Arm) -> tuple[Arm, ...]:
        """The arms with a schedule as long as this one's."""
        return tuple(other for other in self.arms if other.steps == arm.steps)

    def is_shorter(self, arm: Arm) -> bool:
        """Whether an arm's schedule was planned shorter than the reference's."""
        return self.reference is not None and 0 < arm.steps < self.reference.steps

    def others(self) -> tuple[Arm, ...]:
        """All but the reference; none where there is no reference."""
        if self.reference is None:
            return ()
        return tuple(arm for arm in self.arms if arm.name != self.reference.name)


@once_per_run
def optimizer_groups(run: RunData) -> tuple[Group, ...]:
    """The groups of arms with more than one optimizer; none where the run does not compare any."""
    tuned = run.tuned.get("arms") or {}
    searched = frozenset(key for search in tuned.values() for key in search.get("settings") or {})
    # What arms share, then their optimizer, to arms.
    alike: dict[str, dict[str, list[Arm]]] = {}
    share = _core_share(run.trainings)
    for arm in _arms(run.trainings, tuned, run.labels.arms, on_cpu=share is not None):
        shared, optimizer = _apart(arm.settings, searched)
        alike.setdefault(shared, {}).setdefault(optimizer, []).append(arm)
    order = run.labels.arms.index
    compared = [
        sorted((arm for arms in by_optimizer.values() for arm in arms), key=lambda arm: order(arm.name))
        for by_optimizer in alike.values()
        if len(by_optimizer) > 1
    ]
    return tuple(replace(_group(arms, compared), core_share=share) for arms in compared)


def _core_share(trainings: Sequence[TrainedAdapter]) -> float | None:
    """Of the trainings together, where one of them was kept waiting and all say how much."""
    shares = [core_share(training.log) for training in trainings if training.log]
    known = [share for share in shares if share is not None]
    if not known or len(known) < len(shares) or min(known) >= QUIET:
        return None
    return sum(known) / len(known)


def _arms(
    trainings: Sequence[TrainedAdapter], tuned: Mapping[str, Any], order: Sequence[str], *, on_cpu: bool
) -> Iterable[Arm]:
    """The arms whose trainings say what they are; those that share an adapter are one, the first."""
    arms: dict[str, Arm] = {}
    for training in trainings:
        if not training.settings.get("train"):
            continue
        name = min(training.arms, key=order.index)
        arm = arms.setdefault(name, Arm(name, "", training.settings, tuned.get(name) or {}))
        log = on_cpu_clock(training.log) if on_cpu else training.log
        arm.numbers[training.seed] = training_numbers(log)
        arm.logs[training.seed] = log
    return arms.values()


def _apart(settings: JsonObject, searched: frozenset[str]) -> tuple[str, str]:
    """Two texts: all that arms of one group share, and the optimizer; without what was searched."""
    left_out = searched | {"train.learning_rate", "train.logging_steps", "train.max_steps"}

    def part(section: str) -> JsonObject:
        values = settings.get(section) or {}
        return {key: value for key, value in values.items() if f"{section}.{key}" not in left_out}

    shared = {section: part(section) for section in ("train", "adapter", "penalty")}
    sizes = {key: settings.get(key) for key in ("examples", "validation")}
    return json.dumps({**shared, **sizes}, sort_keys=True), json.dumps(part("optimizer"), sort_keys=True)


def _group(arms: Sequence[Arm], compared: Sequence[Sequence[Arm]]) -> Group:
    names = [training_data(others[0].settings["train"]) for others in compared]
    name = training_data(arms[0].settings["train"])
    # Two groups on the same data differ in another setting; their first arm tells them apart.
    unique = name if names.count(name) == 1 else f"{name} ({arms[0].name}, ...)"
    labelled = tuple(replace(arm, label=_label(arm, arms)) for arm in arms)
    longest = max(arm.steps for arm in arms)
    candidates = [arm for arm in labelled if arm.family == REFERENCE and arm.steps == longest]
    reference = next((arm for arm in candidates if arm.tuned), candidates[0] if candidates else None)
    return Group(unique, labelled, reference)


def _label(arm: Arm, arms: Sequence[Arm]) -> str:
    """The optimizer; "untuned" beside tuned ones; what else sets it apart, or its name."""

    def short(one: Arm) -> str:
        apart = any(other.tuned for other in arms) and not one.tuned
        return family(one.family).label + (", untuned" if apart else "")

    same = [other for other in arms if short(other) == short(arm)]
    first = same[0]

    def apart(one: Arm) -> str:
        steps = f"{one.steps} steps" if one.steps != first.steps else ""
        betas = f"betas {one.betas}" if one.betas != first.betas else ""
        return ", ".join(part for part in (steps, betas) if part)

    if first.name == arm.name:
        return short(arm)
    alone = apart(arm) and next(other for other in same if apart(other) == apart(arm)).name == arm.name
    return f"{short(arm)} ({apart(arm) if alone else arm.name})"
