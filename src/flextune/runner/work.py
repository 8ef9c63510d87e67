"""The pieces of a run: trainings, forms of models, generations and evaluations, with their keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flextune.config import (
    DecodeConfig,
    DType,
    EvaluateConfig,
    GenerateConfig,
    JudgeConfig,
    Recipe,
    TrainEvaluateConfig,
)
from flextune.generation.prompts.posing import AS_THEY_ARE, Posed
from flextune.generation.server.served import Served
from flextune.models.load import Quantization
from flextune.models.merging.served import PLAIN, Serving
from flextune.records import Example, Problem
from flextune.runs.keys import content_digest, digest, generation_key, judging_key
from flextune.runs.run import Run

#: Behind the name of a decoding whose completions are judged with the helpers that follow.
WHOLE = "to the program's end"


@dataclass(frozen=True)
class Start:
    """A finished adapter that a training begins with.

    Attributes:
        identity: What stands for it in a key.
        training: Key of its training in this run; None for a folder from elsewhere.
        folder: Of an adapter from elsewhere.
    """

    identity: str
    training: str | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class BaseModel:
    """A base model as it is loaded.

    Attributes:
        name: As in the experiment.
        dtype: Of its weights.
        device: Where it runs; no part of what it is.
        identity: What ``name`` stands for, with the adapters that were merged into it.
        merged: Adapters that are merged into its weights, one after the other, before anything else.
        quantization: Of its linear layers; None: none.
    """

    name: str
    dtype: DType
    device: str
    identity: str
    merged: tuple[Start, ...] = ()
    quantization: Quantization | None = None

    def with_merged(self, start: Start) -> BaseModel:
        """The model with one more adapter in its weights."""
        return replace(self, identity=f"{self.identity}+{start.identity}", merged=(*self.merged, start))


def _bits(model: BaseModel) -> dict[str, str]:
    return {} if model.quantization is None else {"quantization": model.quantization}


@dataclass(frozen=True)
class Watched:
    """What is evaluated while a training runs.

    Attributes:
        problems: Of all benchmarks and languages.
        generate: Says how they are posed.
        judge: How programs are judged.
    """

    problems: list[Problem]
    generate: GenerateConfig
    judge: JudgeConfig

    def identity(self) -> str:
        """What stands for it in a key, where it decides which adapter is kept."""
        posed = {"prompt": self.generate.prompt, "token_healing": self.generate.token_healing}
        return digest([content_digest(self.problems), posed, self.judge.given()])


def watched_problems(
    section: TrainEvaluateConfig, read: Callable[[EvaluateConfig], list[Problem]]
) -> list[Problem]:
    """What ``train.evaluate`` names, with the benchmark and lexicon by which its numbers are called.

    Args:
        section: ``train.evaluate``.
        read: Gives the problems of one evaluation.
    """
    return [
        replace(problem, benchmark=part.name, lexicon=part.own_lexicon)
        for part in section.parts
        for problem in read(part)
    ]


@dataclass(frozen=True)
class Training:
    """One adapter to train; arms that differ only in how they use it share it.

    Attributes:
        key: Its training key.
        label: Names it in progress lines.
        model: The base model.
        recipe: Everything else that determines it, beside examples and start.
        examples: What it learns from.
        validation: What its validation loss is measured on.
        start: The adapter whose matrices are trained on; None: fresh ones.
        watched: What is evaluated while it trains; None: nothing.
    """

    key: str
    label: str
    model: BaseModel
    recipe: Recipe
    examples: list[Example]
    validation: list[Example]
    start: Start | None = None
    watched: Watched | None = None

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        return {
            "model": self.model.name,
            "identity": self.model.identity,
            "dtype": self.model.dtype,
            **_bits(self.model),
            **self.recipe.row(),
            "examples": len(self.examples),
            "validation": len(self.validation),
            **({"start": self.start.identity} if self.start else {}),
            **({"merged": [start.identity for start in self.model.merged]} if self.model.merged else {}),
        }


@dataclass(frozen=True)
class Form:
    """One form of a model: with an adapter or without, beside its weights or merged into them.

    Attributes:
        model: The base model.
        training: Key of the adapter's training; None for the base model and for an adapter from elsewhere.
        folder: Of an adapter from elsewhere.
        identity: Of that adapter.
        serving: Beside the weights or in them, and how.
        served: The server that answers, and the names there; None: this process.
    """

    model: BaseModel
    training: str | None = None
    folder: Path | None = None
    identity: str | None = None
    serving: Serving = PLAIN
    served: Served | None = None

    @property
    def adapter(self) -> str | None:
        """What stands for the adapter in a key; None for the base model."""
        return self.training or self.identity


@dataclass(frozen=True)
class Generation:
    """One form of a model on one benchmark with one decoding and seed."""

    form: Form
    part: EvaluateConfig
    decode: DecodeConfig
    seed: int | None
    problems: list[Problem]
    content: str
    posed: Posed = AS_THEY_ARE

    @cached_property
    def key(self) -> str:
        """Its generation key."""
        form = self.form
        return generation_key(
            model=form.model.identity,
            dtype=form.model.dtype if form.served is None else "served",
            adapter=form.adapter,
            serving={**form.serving.given(), **self._served()},
            problems=self.content,
            decode=self.decode,
            seed=self.seed,
            posed=self.posed.given(),
            quantization=form.model.quantization,
        )

    def _served(self) -> dict[str, Any]:
        served = self.form.served
        return {} if served is None else {"engine": "server", "served": served.given()}

    @property
    def total(self) -> int:
        """Completions that it consists of."""
        return len(self.problems) * self.decode.n

    def unanswered(self, run: Run) -> int:
        """Completions that the run's folder does not hold."""
        return max(self.total - len(run.generated(self.key).completions()), 0)

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        form = self.form
        return {
            "model": form.model.name,
            "dtype": form.model.dtype if form.served is None else None,
            **_bits(form.model),
            "training": form.training,
            "adapter": form.folder.name if form.folder else None,
            "identity": form.identity,
            "export": "merged" if form.serving.merged else "adapter",
            "scale": form.serving.scale,
            "serving": form.serving.given(),
            **self._served(),
            "evaluate": self.part.model_dump(mode="json"),
            "decode": self.decode.model_dump(mode="json"),
            "seed": self.seed,
            "problems": len(self.problems),
            **self.posed.row(),
        }


@dataclass(frozen=True)
class Evaluation:
    """A generation as one arm and seed has it, and how it is judged.

    Attributes:
        arm: The arm's name.
        seed: Of the arm's training or draws; None where nothing depends on one.
        whole: Whether completions are judged up to the program's end, not to their first stop string.
    """

    arm: str
    seed: int | None
    generation: Generation
    judge: JudgeConfig
    whole: bool = False

    @cached_property
    def key(self) -> str:
        """Its judging key."""
        generation = self.generation
        return judging_key(
            generation=generation.key, judge=self.judge, whole=self.whole, answers=generation.posed.answers
        )

    def unjudged(self, run: Run) -> int:
        """Programs of which the run's folder holds no verdict, or an unknown one."""
        return max(self.generation.total - len(run.judged(self.key).known_verdicts()), 0)

    @property
    def decoding(self) -> str:
        """What scores call the way of decoding."""
        label = self.generation.decode.label
        return f"{label} {WHOLE}" if self.whole else label

    @property
    def label(self) -> str:
        """Names it in progress lines."""
        seed = "" if self.seed is None else f" seed {self.seed}"
        whole = f" {WHOLE}" if self.whole else ""
        return f"{self.arm}{seed} {self.generation.part.label}{whole}"

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        row = {"generation": self.generation.key, "judge": self.judge.model_dump(mode="json")}
        return {**row, **({"cut": "program"} if self.whole else {})}
