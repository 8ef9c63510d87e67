"""What an experiment consists of: every training, generation and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flextune.config import (
    EvaluateConfig,
    Experiment,
    GenerateConfig,
    StartConfig,
    TrainConfig,
)
from flextune.errors import FlextuneError
from flextune.generation.prompts.posing import AS_THEY_ARE, Posed
from flextune.models.merging.served import Serving
from flextune.records import Example, Problem
from flextune.runner.served_names import ServedNames, served_model
from flextune.runner.starts import check_sequence
from flextune.runner.work import (
    BaseModel,
    Evaluation,
    Form,
    Generation,
    Start,
    Training,
    Watched,
    watched_problems,
)
from flextune.runs.keys import content_digest, training_key

Examples = tuple[list[Example], list[Example]]


@dataclass(frozen=True)
class Plan:
    """Trainings and evaluations in the order in which they are done.

    Attributes:
        trainings: Each once.
        evaluations: Of every arm.
        by_arm: The training of an arm with a seed; arms may share one.
    """

    trainings: list[Training]
    evaluations: list[Evaluation]
    by_arm: Mapping[tuple[str, int], Training] = field(default_factory=dict)

    def models(self) -> list[BaseModel]:
        """Every base model once: each is loaded in turn."""
        users = [*(e.generation.form.model for e in self.evaluations), *(t.model for t in self.trainings)]
        # What is merged into a model has to be trained before, on the model without it.
        return sorted(dict.fromkeys(users), key=lambda model: len(model.merged))

    def in_turn(self) -> list[Training]:
        """The trainings, model by model."""
        return [each for model in self.models() for each in self.trainings if each.model == model]

    def of(self, training: str | None, model: BaseModel | None = None) -> list[Evaluation]:
        """The evaluations of one training, or (None) of what was not trained here; of one model if given."""
        return [
            evaluation
            for evaluation in self.evaluations
            if evaluation.generation.form.training == training
            and model in (None, evaluation.generation.form.model)
        ]


def _as_they_are(generate: GenerateConfig, part: EvaluateConfig, problems: list[Problem]) -> Posed:
    return AS_THEY_ARE


@dataclass(frozen=True)
class Sources:
    """Where a plan gets what it cannot know: handed in, so that planning reads no file itself.

    Attributes:
        model: Identity of a base model by its name.
        adapter: Identity of an adapter folder from elsewhere.
        problems: Problems of an evaluation.
        examples: Training and validation examples.
        pose: The prompts for the problems of an evaluation.
        written: Examples whose conversations a model's chat template has written out, by the model's name.
        finished: Folder of the adapter that another run has, by the run's folder, arm and seed.
    """

    model: Callable[[str], str]
    problems: Callable[[EvaluateConfig], list[Problem]]
    examples: Callable[[TrainConfig], Examples]
    adapter: Callable[[Path], str] = str
    pose: Callable[[GenerateConfig, EvaluateConfig, list[Problem]], Posed] = _as_they_are
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
    return Plan(list(planner.trainings.values()), list(planner.evaluations.values()), planner.by_arm)


class _Planner:
    """Collects the work; what arms share is read and keyed once."""

    def __init__(self, sources: Sources) -> None:
        self.trainings: dict[str, Training] = {}
        # The base model decoded greedily is the same for every seed: it is evaluated once.
        self.evaluations: dict[tuple[str, int | None, str], Evaluation] = {}
        self.by_arm: dict[tuple[str, int], Training] = {}
        self._sources = sources
        self._identities: dict[str, str] = {}
        self._examples: dict[tuple[str, str], tuple[Examples, str]] = {}
        self._problems: dict[str, tuple[list[Problem], str]] = {}
        self._prompts: dict[tuple[Any, ...], Posed] = {}
        self._served_names = ServedNames()

    def add(self, arm: Experiment, seed: int) -> None:
        """One arm with one seed."""
        model, training = self._model(arm), None
        if arm.train is not None:
            trained = self._training(arm, arm.train, model, seed)
            model, training = trained.model, trained.key
        for evaluation in self._evaluated(arm, seed, self._form(arm, model, training, seed)):
            place = (evaluation.arm, evaluation.seed, evaluation.key)
            self.evaluations.setdefault(place, evaluation)

    def _model(self, arm: Experiment) -> BaseModel:
        if arm.train is None and (name := served_model(arm)) is not None:
            # Its weights need not be on this machine: it is what the server calls so.
            return BaseModel(arm.model, arm.dtype, arm.device, f"served:{name}")
        if arm.model not in self._identities:
            self._identities[arm.model] = self._sources.model(arm.model)
        return BaseModel(
            arm.model,
            arm.dtype,
            arm.device,
            self._identities[arm.model],
            quantization=arm.quantization,
        )

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
        watched = self._watched(arm, train)
        key = training_key(
            recipe,
            model=model.identity,
            dtype=model.dtype,
            data=data,
            start=start.identity if start else None,
            quantization=model.quantization,
            watched=watched.identity() if watched is not None and train.judged else None,
        )
        planned = Training(key, f"{arm.name} seed {seed}", model, recipe, *examples, start, watched)
        self.by_arm[arm.name, seed] = self.trainings.setdefault(key, planned)
        return self.by_arm[arm.name, seed]

    def _watched(self, arm: Experiment, train: TrainConfig) -> Watched | None:
        """What an arm evaluates while it trains."""
        if train.evaluate is None:
            return None
        problems = watched_problems(train.evaluate, lambda part: self._read(part)[0])
        return Watched(problems, arm.generate, arm.judge)

    def _start(
        self, arm: Experiment, section: StartConfig, model: BaseModel, seed: int
    ) -> tuple[BaseModel, Start | None]:
        """The model that an arm is trained on, and the adapter that it trains on."""
        if section.arm is not None and section.run is None:
            before = self.by_arm.get((section.arm, seed))
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
        if section.use == "merged" and model.quantization is not None:
            raise FlextuneError(
                f"train.start.use: merged does not go with quantization {model.quantization}: use adapter, or"
                " merge first (flextune merge) and start from that model"
            )
        return (model.with_merged(start), None) if section.use == "merged" else (model, start)

    def _form(self, arm: Experiment, model: BaseModel, training: str | None, seed: int) -> Form:
        generate = arm.generate
        folder = None if generate.adapter is None else Path(generate.adapter).expanduser()
        identity = None if folder is None else self._sources.adapter(folder)
        onto: str = generate.onto
        if model.quantization is not None and (generate.export == "merged" or onto != "weights"):
            # An adapter fits the weights that it was trained on: those of four bits, as numbers again.
            onto = model.quantization if onto == "weights" else onto
            model = replace(model, quantization=None)
        serving = Serving(
            merged=generate.export == "merged",
            scale=generate.scale,
            spectral_norm=generate.spectral_norm,
            dtype=generate.dtype,
            onto=onto,
            rounding=generate.rounding,
            fault=generate.fault,
        )
        if (served := self._served_names.of(arm, training, folder, seed)) is not None:
            serving = serving if served.adapter is not None else serving.of_base()
            return Form(model, training, folder, identity, serving, served)
        if training is None and folder is None:
            return Form(model, serving=serving.of_base())
        return Form(model, training, folder, identity, serving)

    def _evaluated(self, arm: Experiment, seed: int, form: Form) -> Iterator[Evaluation]:
        for part in arm.evaluate:
            problems, content = self._read(part)
            posed = self._posed(arm.generate, part, problems)
            for decode in arm.decode:
                drawn = seed if decode.strategy == "sample" else None
                # A model that was not trained here differs between seeds only by what is drawn.
                shown = seed if form.training is not None else drawn
                generation = Generation(form, part, decode, drawn, problems, content, posed)
                yield Evaluation(arm.name, shown, generation, arm.judge)
                if posed.whole:
                    yield Evaluation(arm.name, shown, generation, arm.judge, whole=True)

    def _posed(self, generate: GenerateConfig, part: EvaluateConfig, problems: list[Problem]) -> Posed:
        asked = (part.model_dump_json(), generate.prompt, generate.token_healing, generate.stops)
        if asked not in self._prompts:
            self._prompts[asked] = self._sources.pose(generate, part, problems)
        return self._prompts[asked]

    def _read(self, part: EvaluateConfig) -> tuple[list[Problem], str]:
        source = part.model_dump_json()
        if source not in self._problems:
            problems = self._sources.problems(part)
            if not problems:
                raise FlextuneError(
                    f"evaluate: {part.benchmark} has no problem in language {part.language!r}"
                )
            self._problems[source] = (problems, content_digest(problems))
        return self._problems[source]
