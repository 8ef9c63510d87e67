"""What a report reads of a run's folder: the one place that opens its files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flextune.errors import FlextuneError
from flextune.files.lines import read_lines
from flextune.records import Comparison, Score
from flextune.report.labels import Labels, labels
from flextune.statistics.scores_file import read_scores

#: One JSON object, as it stands in a file.
JsonObject = dict[str, Any]
#: Rows of a file by problem and sample.
BySample = dict[tuple[str, int], JsonObject]


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """One trained adapter.

    Attributes:
        key: Training key.
        arms: Arms that use it; a merged arm shares its adapter's training.
        seed: As in the scores.
        log: Rows of training.jsonl.
        matrices: Rows of spectrum.json, empty where none was measured.
        settings: key.json, what the key stands for; empty in runs that did not write one.
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
        problems: Rows of problems.jsonl by the problem's name.
        completions: Rows of completions.jsonl.
        verdicts: Rows of verdicts.jsonl.
    """

    problems: dict[str, JsonObject]
    completions: BySample
    verdicts: BySample


@dataclass(frozen=True, slots=True, eq=False)
class RunData:
    """One finished run in memory; answers are read when they are asked for.

    Attributes:
        folder: The run's.
        name: Of the experiment.
        baseline: The arm that others are compared with.
        scores: Of every arm and setting.
        comparisons: Of every arm with the baseline.
        labels: Names, order and colours.
        experiment: The resolved experiment; empty where its file is missing.
        experiment_text: The same as it is written.
        environment: Where and with what it was run; may be empty.
        trainings: In the order of the arms.
        tuned: tuned.json, what was searched before the seeds; empty where nothing was.
    """

    folder: Path
    name: str
    baseline: str
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    labels: Labels
    experiment: JsonObject = field(default_factory=dict)
    experiment_text: str = ""
    environment: JsonObject = field(default_factory=dict)
    trainings: tuple[TrainedAdapter, ...] = ()
    tuned: JsonObject = field(default_factory=dict)

    def answers(self, score: Score) -> dict[str, Answers]:
        """The programs behind a score, by seed; empty where they were not kept.

        Raises:
            FlextuneError: A damaged file.
        """
        return {seed: self._answers(key) for seed, key in sorted(score.evaluations.items())}

    def _answers(self, key: str) -> Answers:
        folder = self.folder / "evaluated" / key
        return Answers(
            problems={str(row.get("name")): row for row in read_lines(folder / "problems.jsonl")},
            completions=_by_sample(read_lines(folder / "completions.jsonl")),
            verdicts=_by_sample(read_lines(folder / "verdicts.jsonl")),
        )


def read_run(folder: Path) -> RunData:
    """Read a run; only scores.json has to be there.

    Raises:
        FlextuneError: If scores.json is missing, or a file is damaged in another place than its last line.
    """
    file = read_scores(folder / "scores.json")
    text = _text(folder / "experiment.yaml")
    experiment = _experiment(folder / "experiment.yaml", text)
    names = labels(experiment, file.scores, file.baseline)
    return RunData(
        folder=folder,
        name=file.experiment,
        baseline=file.baseline,
        scores=file.scores,
        comparisons=file.comparisons,
        labels=names,
        experiment=experiment,
        experiment_text=text,
        environment=_object(folder / "environment.json"),
        trainings=tuple(_trainings(folder, sorted(file.scores, key=names.sort_key))),
        tuned=_tuned(folder / "tuned.json"),
    )


def _experiment(path: Path, text: str) -> JsonObject:
    try:
        experiment = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FlextuneError(f"{path}: not valid YAML ({error.__class__.__name__})") from None
    return experiment if isinstance(experiment, dict) else {}


def _by_sample(rows: Sequence[Mapping[str, Any]]) -> BySample:
    return {(str(row.get("name")), int(row.get("sample", 0))): dict(row) for row in rows}


def _object(path: Path) -> JsonObject:
    """A JSON object; empty if the file is missing.

    Raises:
        FlextuneError: If the file is there and holds anything else.
    """
    text = _text(path)
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise FlextuneError(f"{path}: not a JSON object; remove it and make the page again")
    return value


def _tuned(path: Path) -> JsonObject:
    """What was searched.

    Raises:
        FlextuneError: If it is not as a tuning writes it.
    """
    document = _object(path)
    arms = document.get("arms") or {}
    if not isinstance(arms, dict) or not all(map(_is_search, arms.values())):
        raise FlextuneError(f"{path}: not what a tuning writes; remove it and run the experiment again")
    return document


def _is_search(part: Any) -> bool:
    rows = [part, *part.get("trials", [None])] if isinstance(part, dict) else [None]
    return all(isinstance(row, dict) and isinstance(row.get("settings"), dict) for row in rows)


def _settings(path: Path) -> JsonObject:
    """What a training's key stands for.

    Raises:
        FlextuneError: If a section is not one.
    """
    settings = _object(path)
    for section in ("train", "adapter", "optimizer", "penalty"):
        if not isinstance(settings.get(section) or {}, dict):
            raise FlextuneError(
                f"{path}: {section!r} is not an object; remove the folder and run the experiment again"
            )
    return settings


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({error.strerror})") from None


def _trainings(folder: Path, scores: Sequence[Score]) -> Iterator[TrainedAdapter]:
    users: dict[tuple[str, str], list[str]] = {}
    for score in scores:
        for seed, key in score.trainings.items():
            if key is not None:
                arms = users.setdefault((key, seed), [])
                if score.arm not in arms:
                    arms.append(score.arm)
    for (key, seed), arms in users.items():
        place = folder / "trained" / key
        yield TrainedAdapter(
            key=key,
            arms=tuple(arms),
            seed=seed,
            log=tuple(read_lines(place / "training.jsonl")),
            matrices=tuple(_object(place / "spectrum.json").get("matrices") or ()),
            settings=_settings(place / "key.json"),
        )
