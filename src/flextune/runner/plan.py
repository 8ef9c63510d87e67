"""What an experiment consists of: every training, generation and evaluation, with their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flextune.config import (
    DecodeConfig,
    DType,
    EvaluateConfig,
    Experiment,
    JudgeConfig,
    Recipe,
    StartConfig,
    TrainConfig,
)
from flextune.errors import FlextuneError
from flextune.models.merging.served import PLAIN, Serving
from flextune.records import Example, Problem
from flextune.runner.starts import check_sequence
from flextune.runs.keys import content_digest, generation_key, judging_key, training_key

Examples = tuple[list[Example], list[Example]]


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
    """

    name: str
    dtype: DType
    device: str
    identity: str
    merged: tuple[Start, ...] = ()

    def with_merged(self, start: Start) -> BaseModel:
        """The model with one more adapter in its weights."""
        return replace(self, identity=f"{self.identity}+{start.identity}", merged=(*self.merged, start))


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
    """

    key: str
    label: str
    model: BaseModel
    recipe: Recipe
    examples: list[Example]
    validation: list[Example]
    start: Start | None = None

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        return {
            "model": self.model.name,
            "identity": self.model.identity,
            "dtype": self.model.dtype,
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
    """

    model: BaseModel
    training: str | None = None
    folder: Path | None = None
    identity: str | None = None
    serving: Serving = PLAIN

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

    @cached_property
    def key(self) -> str:
        """Its generation key."""
        form = self.form
        return generation_key(
            model=form.model.identity,
            dtype=form.model.dtype,
            adapter=form.adapter,
            serving=form.serving.given(),
            problems=self.content,
            decode=self.decode,
            seed=self.seed,
        )

    @property
    def total(self) -> int:
        """Completions that it consists of."""
        return len(self.problems) * self.decode.n

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        form = self.form
        return {
            "model": form.model.name,
            "dtype": form.model.dtype,
            "training": form.training,
            "adapter": form.folder.name if form.folder else None,
            "identity": form.identity,
            "export": "merged" if form.serving.merged else "adapter",
            "scale": form.serving.scale,
            "serving": form.serving.given(),
            "evaluate": self.part.model_dump(mode="json"),
            "decode": self.decode.model_dump(mode="json"),
            "seed": self.seed,
            "problems": len(self.problems),
        }


@dataclass(frozen=True)
class Evaluation:
    """A generation as one arm and seed has it, and how it is judged.

    Attributes:
        arm: The arm's name.
        seed: Of the arm's training or draws; None where nothing depends on one.
    """

    arm: str
    seed: int | None
    generation: Generation
    judge: JudgeConfig

    @cached_property
    def key(self) -> str:
        """Its judging key."""
        return judging_key(generation=self.generation.key, judge=self.judge)

    @property
    def label(self) -> str:
        """Names it in progress lines."""
        seed = "" if self.seed is None else f" seed {self.seed}"
        return f"{self.arm}{seed} {self.generation.part.label}"

    def row(self) -> dict[str, Any]:
        """What the key stands for, as JSON."""
        return {"generation": self.generation.key, "judge": self.judge.model_dump(mode="json")}


@dataclass(frozen=True)
class Plan:
    """Trainings and evaluations in the order in which they are done."""

    trainings: list[Training]
    evaluations: list[Evaluation]

    def models(self) -> list[BaseModel]:
        """Every base model once: each is loaded in turn."""
        users = [*(e.generation.form.model for e in self.evaluations), *(t.model for t in self.trainings)]
        # What is merged into a model has to be trained before, on the model without it.
        return sorted(dict.fromkeys(users), key=lambda model: len(model.merged))

    def of(self, training: str | None, model: BaseModel | None = None) -> list[Evaluation]:
        """The evaluations of one training, or (None) of what was not trained here; of one model if given."""
        return [
            evaluation
            for evaluation in self.evaluations
            if evaluation.generation.form.training == training
            and model in (None, evaluation.generation.form.model)
        ]


@dataclass(frozen=True)
class Sources:
    """Where a plan gets what it cannot know: handed in, so that planning reads no file itself.

    Attributes:
        model: Identity of a base model by its name.
        adapter: Identity of an adapter folder from elsewhere.
        problems: Problems of an evaluation.
        examples: Training and validation examples.
        written: Examples whose conversations a model's chat template has written out, by the model's name.
        finished: Folder of the adapter that another run has, by the run's folder, arm and seed.
    """

    model: Callable[[str], str]
    problems: Callable[[EvaluateConfig], list[Problem]]
    examples: Callable[[TrainConfig], Examples]
    adapter: Callable[[Path], str] = str
    written: Callable[[str, list[Example]], list[Example]] = lambda model, examples: examples
    finished: Callable[[Path, str, int], Path] = lambda run, arm, seed: run / arm / str(seed)


def make_plan(experiment: Experiment, sources: Sources) -> Plan:
    """Resolve arms x seeds x evaluations x decodings into keyed work.

    Raises:
        FlextuneError: Data is missing or bad, or a benchmark came back empty.
    """
    planner = _Planner(sources)
    for arm in experiment.resolved_arms():
        for seed in experiment.seeds:
            planner.add(arm, seed)
    return Plan(list(planner.trainings.values()), list(planner.evaluations.values()))


class _Planner:
    """Collects the work; what arms share is read and keyed once."""

    def __init__(self, sources: Sources) -> None:
        self.trainings: dict[str, Training] = {}
        # The base model decoded greedily is the same for every seed: it is evaluated once.
        self.evaluations: dict[tuple[str, int | None, str], Evaluation] = {}
        self._sources = sources
        self._identities: dict[str, str] = {}
        self._examples: dict[tuple[str, str], tuple[Examples, str]] = {}
        self._by_arm: dict[tuple[str, int], Training] = {}
        self._problems: dict[str, tuple[list[Problem], str]] = {}

    def add(self, arm: Experiment, seed: int) -> None:
        """One arm with one seed."""
        model, training = self._model(arm), None
        if arm.train is not None:
            trained = self._training(arm, arm.train, model, seed)
            model, training = trained.model, trained.key
        for evaluation in self._evaluated(arm, seed, self._form(arm, model, training)):
            place = (evaluation.arm, evaluation.seed, evaluation.key)
            self.evaluations.setdefault(place, evaluation)

    def _model(self, arm: Experiment) -> BaseModel:
        if arm.model not in self._identities:
            self._identities[arm.model] = self._sources.model(arm.model)
        return BaseModel(arm.model, arm.dtype, arm.device, self._identities[arm.model])

    def _training(self, arm: Experiment, train: TrainConfig, model: BaseModel, seed: int) -> Training:
        source = (arm.model, train.model_dump_json())
        if source not in self._examples:
            learned, validation = (
                self._sources.written(arm.model, part) for part in self._sources.examples(train)
            )
            content = content_digest([*learned, *validation])
            self._examples[source] = ((learned, validation), content)
        examples, data = self._examples[source]
        recipe = arm.recipe(seed)
        start = None
        if train.start is not None:
            model, start = self._start(arm, train.start, model, seed)
        key = training_key(
            recipe,
            model=model.identity,
            dtype=model.dtype,
            data=data,
            start=start.identity if start else None,
        )
        training = Training(key, f"{arm.name} seed {seed}", model, recipe, *examples, start)
        self._by_arm[arm.name, seed] = self.trainings.setdefault(key, training)
        return self._by_arm[arm.name, seed]

    def _start(
        self, arm: Experiment, section: StartConfig, model: BaseModel, seed: int
    ) -> tuple[BaseModel, Start | None]:
        """The model that an arm is trained on, and the adapter that it trains on."""
        if section.arm is not None and section.run is None:
            before = self._by_arm.get((section.arm, seed))
            if before is None:
                raise FlextuneError(f"train.start.arm: there is no arm {section.arm!r} above that trains")
            check_sequence(arm, section, before)
            model = replace(before.model, device=model.device)
            start = Start(before.key, training=before.key)
        else:
            folder = Path(section.adapter or section.run or "").expanduser()
            if section.arm is not None:
                folder = self._sources.finished(folder, section.arm, seed)
            start = Start(self._sources.adapter(folder), folder=folder)
        return (model.with_merged(start), None) if section.use == "merged" else (model, start)

    def _form(self, arm: Experiment, model: BaseModel, training: str | None) -> Form:
        generate = arm.generate
        serving = Serving(
            merged=generate.export == "merged",
            scale=generate.scale,
            dtype=generate.dtype,
            onto=generate.onto,
            rounding=generate.rounding,
            fault=generate.fault,
        )
        if training is None and generate.adapter is None:
            return Form(model, serving=serving.of_base())
        folder = None if generate.adapter is None else Path(generate.adapter).expanduser()
        identity = None if folder is None else self._sources.adapter(folder)
        return Form(model, training, folder, identity, serving)

    def _evaluated(self, arm: Experiment, seed: int, form: Form) -> Iterator[Evaluation]:
        for part in arm.evaluate:
            problems, content = self._posed(part)
            for decode in arm.decode:
                drawn = seed if decode.strategy == "sample" else None
                # A model that was not trained here differs between seeds only by what is drawn.
                shown = seed if form.training is not None else drawn
                generation = Generation(form, part, decode, drawn, problems, content)
                yield Evaluation(arm.name, shown, generation, arm.judge)

    def _posed(self, part: EvaluateConfig) -> tuple[list[Problem], str]:
        source = part.model_dump_json()
        if source not in self._problems:
            problems = self._sources.problems(part)
            if not problems:
                raise FlextuneError(
                    f"evaluate: {part.benchmark} has no problem in language {part.language!r}"
                )
            self._problems[source] = (problems, content_digest(problems))
        return self._problems[source]
