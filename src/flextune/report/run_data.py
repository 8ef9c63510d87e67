"""A finished run as reports see it: its files through the run's handle, and its names and order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.records import Comparison, Completion, Problem, Score, Verdict
from flextune.report.labels import Labels, labels
from flextune.runs import layout
from flextune.runs.pieces import Judged, Sample, Trained
from flextune.runs.run import Run

#: One JSON object, as it stands in a file.
JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """One trained adapter.

    Attributes:
        key: Training key.
        arms: Arms that use it; a merged arm shares its adapter's training.
        seed: As in the scores.
        log: Rows of its log.
        matrices: A row for each matrix of its spectrum, empty where none was measured.
        settings: What the key stands for; empty where the folder is gone.
    """

    key: str
    arms: tuple[str, ...]
    seed: str
    log: tuple[JsonObject, ...]
    matrices: tuple[JsonObject, ...]
    settings: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """What one arm answered in one setting, with one seed.

    Attributes:
        problems: By name.
        completions: By (name, sample).
        verdicts: By (name, sample).
    """

    problems: dict[str, Problem]
    completions: dict[Sample, Completion]
    verdicts: dict[Sample, Verdict]


@dataclass(frozen=True, slots=True, eq=False)
class RunData:
    """One finished run in memory; answers are read when they are asked for.

    Attributes:
        run: Its folder.
        name: Of the experiment.
        baseline: The arm that others are compared with.
        scores: Of every arm and setting.
        comparisons: Of every arm with the baseline.
        labels: Names, order and colours.
        experiment: What was run; None where its file is missing.
        experiment_text: The same as it is written.
        environment: Where and with what it was run; may be empty.
        trainings: In the order of the arms.
        tuned: What was searched before the seeds; empty where nothing was.
    """

    run: Run
    name: str
    baseline: str
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    labels: Labels
    experiment: Experiment | None = None
    experiment_text: str = ""
    environment: JsonObject = field(default_factory=dict)
    trainings: tuple[TrainedAdapter, ...] = ()
    tuned: JsonObject = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where everything about the run lies."""
        return self.run.folder

    def answers(self, score: Score) -> dict[str, Answers]:
        """The programs behind a score, by seed; empty where they were not kept.

        Raises:
            FlextuneError: A damaged file.
        """
        return {
            seed: self._answers(key, score.judgings.get(seed))
            for seed, key in sorted(score.generations.items())
        }

    def prompts(self) -> dict[str, JsonObject]:
        """How problems were posed where that is not as they are: template name and revision, its row."""
        keys = dict.fromkeys(key for score in self.scores for key in score.generations.values())
        rows = (self.run.generated(key).settings().get("prompt") for key in keys)
        return {f"{row['name']} {row['revision']}": row for row in rows if isinstance(row, dict)}

    def _answers(self, generation: str, judging: str | None) -> Answers:
        generated = self.run.generated(generation)
        judged = self.run.judged(judging) if judging is not None else None
        return Answers(
            problems={problem.name: problem for problem in generated.problems()},
            completions=_as_judged(generated.completions(), judged),
            verdicts=judged.verdicts() if judged is not None else {},
        )


def _as_judged(completions: dict[Sample, Completion], judged: Judged | None) -> dict[Sample, Completion]:
    """Completions cut where their verdicts say that they were."""
    if judged is None or judged.settings().get("cut") != "program":
        return completions
    return {key: c if c.program is None else replace(c, text=c.program) for key, c in completions.items()}


def read_run(folder: Path) -> RunData:
    """Read a run; only its scores have to be there.

    Raises:
        FlextuneError: If the scores are missing, or a file is damaged in another place than its last line.
    """
    run = Run(folder)
    file = run.scores
    path = folder / layout.EXPERIMENT
    experiment = run.experiment if path.is_file() else None
    names = labels(experiment, file.scores, file.baseline)
    return RunData(
        run=run,
        name=file.experiment,
        baseline=file.baseline,
        scores=file.scores,
        comparisons=file.comparisons,
        labels=names,
        experiment=experiment,
        experiment_text=path.read_text(encoding="utf-8") if experiment is not None else "",
        environment=run.environment,
        trainings=tuple(_trainings(run, sorted(file.scores, key=names.sort_key))),
        tuned=run.tuned,
    )


def _trainings(run: Run, scores: Sequence[Score]) -> Iterator[TrainedAdapter]:
    users: dict[tuple[str, str], list[str]] = {}
    for score in scores:
        for seed, key in score.trainings.items():
            if key is not None:
                arms = users.setdefault((key, seed), [])
                if score.arm not in arms:
                    arms.append(score.arm)
    for (key, seed), arms in users.items():
        trained = run.trained(key)
        yield TrainedAdapter(
            key=key,
            arms=tuple(arms),
            seed=seed,
            log=tuple(trained.log()),
            matrices=tuple(trained.spectrum()),
            settings=_settings(trained),
        )


def _settings(trained: Trained) -> JsonObject:
    """What a training's key stands for.

    Raises:
        FlextuneError: If a section is not one.
    """
    settings = trained.settings()
    for section in ("train", "adapter", "optimizer", "penalty"):
        if not isinstance(settings.get(section) or {}, dict):
            raise FlextuneError(
                f"{trained.folder / layout.KEY}: {section!r} is not an object; remove the folder and run the "
                "experiment again"
            )
    return settings
