"""Facts about a run that compares optimizers: arms grouped by what they train on, and what their logs say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flextune.config import optimizer
from flextune.report.inputs import Row, Run, Training
from flextune.report.wording import training_data

#: Optimizers as they are called; Sophia with each estimator is one of its own.
FAMILIES = {
    "adamw": "AdamW",
    "lion": "Lion",
    "sophia-constant": "Sophia-constant",
    "sophia-g": "Sophia-G",
    "sophia-h": "Sophia-H",
}
REFERENCE = "adamw"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Validation:
    """One validation; a loss of None was not finite."""

    step: float
    loss: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What one training's log says; None is what it does not say.

    Attributes:
        validations: In the order of the steps.
        diverged: The last loss is no number.
        final_loss: Of the adapter that was kept; None if it diverged.
        lowest_loss: Of all validations.
        grad_norm: Before clipping, mean over the logged steps.
        last_grad_norm: Of the last logged step.
        win_rate_a: Share of A's coordinates that were not clipped, mean over the logged steps.
        win_rate_b: The same of B.
        estimate_share: Part of the steps' time that went into estimates.
        seconds: Of training, without validation.
        seconds_per_step: Estimates included.
        memory: Peak in MiB.
    """

    validations: tuple[Validation, ...]
    diverged: bool
    final_loss: float | None
    lowest_loss: float | None
    grad_norm: float | None
    last_grad_norm: float | None
    win_rate_a: float | None
    win_rate_b: float | None
    estimate_share: float | None
    seconds: float | None
    seconds_per_step: float | None
    memory: float | None

    @property
    def perplexity(self) -> float | None:
        """``exp`` of the final validation loss."""
        # Beyond this a float has no exponential, and a language model no perplexity to speak of.
        return None if self.final_loss is None or self.final_loss > 700 else math.exp(self.final_loss)


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
    settings: Row
    tuned: Row
    numbers: dict[str, Numbers] = field(default_factory=dict)
    logs: dict[str, tuple[Row, ...]] = field(default_factory=dict)

    @property
    def optimizer(self) -> Row:
        """Name and options."""
        held: Row = self.settings["optimizer"]
        return held

    @property
    def family(self) -> str:
        """One of ``FAMILIES``."""
        name = str(self.optimizer.get("name", REFERENCE))
        if name != "sophia":
            return name
        return "sophia-h" if self.optimizer.get("estimator") == "hutchinson" else "sophia-g"

    @property
    def rate(self) -> float | None:
        """Its learning rate."""
        return finite((self.settings.get("train") or {}).get("learning_rate"))

    def values(self, name: str) -> list[float]:
        """One of ``Numbers``' fields, over the seeds that have it."""
        found = (getattr(numbers, name) for numbers in self.numbers.values())
        return [value for value in found if value is not None]


@dataclass(frozen=True, slots=True)
class Group:
    """Arms that differ in optimizer and tuned settings alone.

    Attributes:
        name: What they train on.
        arms: In the experiment's order.
        reference: The tuned AdamW, else the first; None where there is none.
    """

    name: str
    arms: tuple[Arm, ...]
    reference: Arm | None

    def partner(self, arm: Arm) -> Arm | None:
        """The AdamW that was left untuned, for an arm that was too; None where neither is set apart so."""
        if arm.tuned or arm.family == REFERENCE or self.reference is None or not self.reference.tuned:
            return None
        return next((other for other in self.arms if other.family == REFERENCE and not other.tuned), None)

    def others(self) -> tuple[Arm, ...]:
        """All but the reference; none where there is no reference."""
        if self.reference is None:
            return ()
        return tuple(arm for arm in self.arms if arm.name != self.reference.name)


def optimizer_groups(run: Run) -> tuple[Group, ...]:
    """The groups of arms with more than one optimizer; none where the run does not compare any."""
    tuned = run.tuned.get("arms") or {}
    searched = frozenset(key for part in tuned.values() for key in part.get("settings") or {})
    arms: dict[str, dict[str, list[Arm]]] = {}
    for arm in _arms(run.trainings, tuned, run.labels.arms):
        identity, optimizer = _apart(arm.settings, searched)
        arms.setdefault(identity, {}).setdefault(optimizer, []).append(arm)
    order = run.labels.arms.index
    kept = [
        sorted((arm for held in found.values() for arm in held), key=lambda arm: order(arm.name))
        for found in arms.values()
        if len(found) > 1
    ]
    return tuple(_group(held, kept) for held in kept)


def numbers(log: Iterable[Row]) -> Numbers:
    """The numbers of one training.jsonl."""
    rows = list(log)
    validations = tuple(
        Validation(float(row["step"]), finite(row["eval_loss"]), finite(row.get("seconds")))
        for row in rows
        if "eval_loss" in row and finite(row.get("step")) is not None
    )
    losses = [row["loss"] for row in rows if "loss" in row]
    diverged = any(held and finite(held[-1]) is None for held in (losses, [v.loss for v in validations]))
    known = [v.loss for v in validations if v.loss is not None]
    kept = _column(rows, "kept_eval_loss")
    final = kept or ([] if diverged else known)
    seconds, steps, memory = (_column(rows, key) for key in ("seconds", "step", "peak_memory_bytes"))
    norms = _column(rows, "grad_norm")
    return Numbers(
        validations=validations,
        diverged=diverged,
        final_loss=final[-1] if final else None,
        lowest_loss=min(known, default=None),
        grad_norm=_mean(norms),
        last_grad_norm=norms[-1] if norms else None,
        win_rate_a=_mean(_column(rows, "win_rate_a")),
        win_rate_b=_mean(_column(rows, "win_rate_b")),
        estimate_share=_mean(_column(rows, "estimate_share")),
        seconds=max(seconds, default=None),
        seconds_per_step=max(seconds) / max(steps) if seconds and max(steps, default=0) > 0 else None,
        memory=max(memory) / MIB if memory else None,
    )


def finite(value: Any) -> float | None:
    """A number that is one; None for null, nan and anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _arms(trainings: Sequence[Training], tuned: Mapping[str, Any], order: Sequence[str]) -> list[Arm]:
    """The arms whose trainings say what they are; those that share an adapter are one, the first."""
    found: dict[str, Arm] = {}
    # A training from before there was a choice had this.
    usual = {"optimizer": optimizer().options()}
    for training in trainings:
        if not training.settings.get("train"):
            continue
        name = min(training.arms, key=order.index)
        arm = found.setdefault(name, Arm(name, "", usual | training.settings, tuned.get(name) or {}))
        arm.numbers[training.seed] = numbers(training.log)
        arm.logs[training.seed] = training.log
    return list(found.values())


def _apart(settings: Row, searched: frozenset[str]) -> tuple[str, str]:
    """Two texts: all that arms of one group share, and the optimizer; without what was searched."""
    left_out = searched | {"train.learning_rate", "train.log_every"}

    def part(section: str) -> Row:
        held = settings.get(section) or {}
        return {key: value for key, value in held.items() if f"{section}.{key}" not in left_out}

    shared = {section: part(section) for section in ("train", "adapter", "penalty")}
    sizes = {key: settings.get(key) for key in ("examples", "validation")}
    return json.dumps({**shared, **sizes}, sort_keys=True), json.dumps(part("optimizer"), sort_keys=True)


def _group(arms: Sequence[Arm], all_arms: Sequence[Sequence[Arm]]) -> Group:
    names = [training_data(held[0].settings["train"]) for held in all_arms]
    name = training_data(arms[0].settings["train"])
    # Two groups on the same data differ in another setting; their first arm tells them apart.
    shown = name if names.count(name) == 1 else f"{name} ({arms[0].name}, ...)"
    labelled = tuple(replace(arm, label=_label(arm, arms)) for arm in arms)
    first = [arm for arm in labelled if arm.family == REFERENCE]
    reference = next((arm for arm in first if arm.tuned), first[0] if first else None)
    return Group(shown, labelled, reference)


def _label(arm: Arm, arms: Sequence[Arm]) -> str:
    """The optimizer; "untuned" beside tuned ones; the arm's name where that is not enough."""

    def short(one: Arm) -> str:
        apart = any(other.tuned for other in arms) and not one.tuned
        return FAMILIES.get(one.family, one.family) + (", untuned" if apart else "")

    same = [other for other in arms if short(other) == short(arm)]
    return short(arm) if same[0].name == arm.name else f"{short(arm)} ({arm.name})"


def _column(rows: Iterable[Row], key: str) -> list[float]:
    return [value for row in rows if (value := finite(row.get(key))) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
