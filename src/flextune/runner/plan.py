"""What an experiment consists of: every training and every evaluation, with their keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flextune.config import (
    AdapterConfig,
    DecodeConfig,
    EvaluateConfig,
    Experiment,
    OptimizerConfig,
    PenaltyConfig,
    ResolvedArm,
    TrainConfig,
)
from flextune.errors import FlextuneError
from flextune.records import Example, Problem
from flextune.runs.keys import content_digest, evaluation_key, training_key

Examples = tuple[list[Example], list[Example]]


@dataclass(frozen=True)
class Training:
    """One adapter to train; arms that differ only in its export or scale share it."""

    key: str
    label: str
    adapter: AdapterConfig
    train: TrainConfig
    optimizer: OptimizerConfig
    penalty: PenaltyConfig | None
    seed: int
    examples: list[Example]
    validation: list[Example]

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        return {
            "adapter": self.adapter.model_dump(mode="json", exclude={"export", "scale"}),
            "train": self.train.model_dump(mode="json"),
            "optimizer": self.optimizer.model_dump(mode="json", exclude_none=True),
            "penalty": self.penalty.model_dump(mode="json") if self.penalty else None,
            "seed": self.seed,
            "examples": len(self.examples),
            "validation": len(self.validation),
        }


@dataclass(frozen=True)
class Evaluation:
    """One arm and seed on one benchmark with one decoding."""

    key: str
    arm: str
    seed: int | None
    training: str | None
    export: str
    scale: float
    part: EvaluateConfig
    decode: DecodeConfig
    problems: list[Problem]

    @property
    def label(self) -> str:
        """Names it in progress lines."""
        seed = "" if self.seed is None else f" seed {self.seed}"
        return f"{self.arm}{seed} {self.part.label}"

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        return {
            "training": self.training,
            "export": self.export,
            "scale": self.scale,
            "evaluate": self.part.model_dump(mode="json"),
            "decode": self.decode.model_dump(mode="json"),
            "seed": self.seed,
            "problems": len(self.problems),
        }


@dataclass(frozen=True)
class Plan:
    """Trainings and evaluations in the order in which they are done."""

    trainings: list[Training]
    evaluations: list[Evaluation]

    def of(self, training: str | None) -> list[Evaluation]:
        """The evaluations of one training, or of the base model."""
        return [evaluation for evaluation in self.evaluations if evaluation.training == training]


def make_plan(
    experiment: Experiment,
    *,
    model: str,
    problems: Callable[[EvaluateConfig], list[Problem]],
    examples: Callable[[TrainConfig], Examples],
) -> Plan:
    """Resolve arms x seeds x evaluations x decodings into keyed work.

    Args:
        experiment: What to do.
        model: Identity of the base model.
        problems: Loads the problems of an evaluation.
        examples: Loads training and validation examples.

    Raises:
        FlextuneError: Data is missing or bad, or a benchmark came back empty.
    """
    benchmarks = [(part, _loaded(part, problems)) for part in experiment.evaluate]
    trainings: dict[str, Training] = {}
    evaluations: list[Evaluation] = []
    loaded: dict[str, tuple[Examples, str]] = {}
    for arm in experiment.resolved_arms():
        for seed in experiment.seeds:
            key = None
            if arm.train is not None:
                source = arm.train.model_dump_json()
                if source not in loaded:
                    pair = examples(arm.train)
                    loaded[source] = (pair, content_digest([*pair[0], *pair[1]]))
                training = _training(experiment, arm, arm.train, seed, model, *loaded[source])
                key = trainings.setdefault(training.key, training).key
            evaluations += _evaluations(experiment, arm, seed, key, model, benchmarks)
    return Plan(list(trainings.values()), list({_identity(e): e for e in evaluations}.values()))


def bare_evaluations(
    experiment: Experiment,
    model: str,
    training: str | None,
    problems: Callable[[EvaluateConfig], list[Problem]],
) -> list[Evaluation]:
    """The evaluations of one model, or of one model with an adapter from anywhere.

    Args:
        experiment: Benchmarks, decodings, limits and seeds.
        model: Identity of the base model.
        training: Stands for the adapter in the key; None for the base model.
        problems: Loads the problems of an evaluation.
    """
    benchmarks = [(part, _loaded(part, problems)) for part in experiment.evaluate]
    arm = ResolvedArm(
        name=experiment.name,
        adapter=experiment.adapter,
        train=None,
        optimizer=experiment.optimizer,
        penalty=None,
    )
    found = [
        evaluation
        for seed in experiment.seeds
        for evaluation in _evaluations(experiment, arm, seed, training, model, benchmarks)
    ]
    return list({_identity(e): e for e in found}.values())


def _identity(evaluation: Evaluation) -> tuple[Any, ...]:
    """The base model decoded greedily is the same for every seed: it is evaluated once."""
    return (evaluation.arm, evaluation.seed, evaluation.key)


def _loaded(
    part: EvaluateConfig, problems: Callable[[EvaluateConfig], list[Problem]]
) -> tuple[list[Problem], str]:
    found = problems(part)
    if not found:
        raise FlextuneError(f"evaluate: {part.benchmark} has no problem in language {part.language!r}")
    return found, content_digest(found)


def _training(
    experiment: Experiment,
    arm: ResolvedArm,
    train: TrainConfig,
    seed: int,
    model: str,
    examples: Examples,
    data: str,
) -> Training:
    key = training_key(
        model=model,
        dtype=experiment.dtype,
        adapter=arm.adapter,
        train=train,
        optimizer=arm.optimizer,
        penalty=arm.penalty,
        seed=seed,
        data=data,
    )
    label = f"{arm.name} seed {seed}"
    return Training(key, label, arm.adapter, train, arm.optimizer, arm.penalty, seed, *examples)


def _evaluations(
    experiment: Experiment,
    arm: ResolvedArm,
    seed: int,
    training: str | None,
    model: str,
    benchmarks: list[tuple[EvaluateConfig, tuple[list[Problem], str]]],
) -> list[Evaluation]:
    found = []
    for part, (problems, content) in benchmarks:
        for decode in experiment.decode:
            drawn = seed if decode.strategy == "sample" else None
            key = evaluation_key(
                model=model,
                dtype=experiment.dtype,
                training=training,
                export=arm.adapter.export,
                scale=arm.adapter.scale,
                problems=content,
                decode=decode,
                judge=experiment.judge,
                seed=drawn,
            )
            # A model that was not trained here differs between seeds only by what is drawn.
            shown = seed if arm.train is not None else drawn
            export, scale = arm.adapter.export, arm.adapter.scale
            found.append(Evaluation(key, arm.name, shown, training, export, scale, part, decode, problems))
    return found
