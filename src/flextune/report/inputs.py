"""What the page reads from a run directory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flextune.errors import FlextuneError
from flextune.records import Score
from flextune.report.labels import Labels, labels
from flextune.statistics.scores_file import ScoresFile, read_scores

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Training:
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
    log: tuple[Row, ...]
    matrices: tuple[Row, ...]
    settings: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One run directory in memory, programs apart (they are read when the page collects them).

    Attributes:
        tuned: tuned.json, what was searched before the seeds; empty where nothing was.
    """

    path: Path
    experiment: Row
    experiment_text: str
    environment: Row
    held: ScoresFile
    labels: Labels
    trainings: tuple[Training, ...]
    tuned: Row = field(default_factory=dict)


def read_run(path: Path) -> Run:
    """Read a run; only scores.json has to be there.

    Raises:
        FlextuneError: If scores.json is missing, or a file is damaged in another place than its last line.
    """
    held = read_scores(path / "scores.json")
    text = _text(path / "experiment.yaml")
    try:
        experiment = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise FlextuneError(
            f"{path / 'experiment.yaml'}: not valid YAML ({error.__class__.__name__})"
        ) from None
    experiment = experiment if isinstance(experiment, dict) else {}
    names = labels(experiment, held.scores, held.baseline)
    return Run(
        path=path,
        experiment=experiment,
        experiment_text=text,
        environment=read_object(path / "environment.json"),
        held=held,
        labels=names,
        trainings=tuple(_trainings(path, sorted(held.scores, key=names.sort_key))),
        tuned=_tuned(path / "tuned.json"),
    )


def read_rows(path: Path) -> list[Row]:
    """Rows of a JSONL file; none if it is missing, and a half-written last line is dropped.

    Raises:
        FlextuneError: For a damaged line before the last, naming file and line.
    """
    lines = _text(path).split("\n")
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            # A complete line ends in a newline: what follows the last one was being written.
            if number == len(lines):
                break
            raise FlextuneError(
                f"{path}:{number}: not a JSON line; remove it and make the page again"
            ) from None
        if not isinstance(row, dict):
            raise FlextuneError(f"{path}:{number}: not a JSON object; remove it and make the page again")
        rows.append(row)
    return rows


def read_object(path: Path) -> Row:
    """A JSON object; empty if the file is missing.

    Raises:
        FlextuneError: If the file is there and holds anything else.
    """
    text = _text(path)
    try:
        held = json.loads(text) if text else {}
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise FlextuneError(f"{path}: not a JSON object; remove it and make the page again")
    return held


def _tuned(path: Path) -> Row:
    """What was searched.

    Raises:
        FlextuneError: If it is not as a tuning writes it.
    """
    held = read_object(path)
    arms = held.get("arms") or {}
    if not isinstance(arms, dict) or not all(map(_is_search, arms.values())):
        raise FlextuneError(f"{path}: not what a tuning writes; remove it and run the experiment again")
    return held


def _is_search(part: Any) -> bool:
    rows = [part, *part.get("trials", [None])] if isinstance(part, dict) else [None]
    return all(isinstance(row, dict) and isinstance(row.get("settings"), dict) for row in rows)


def _settings(path: Path) -> Row:
    """What a training's key stands for.

    Raises:
        FlextuneError: If a section is not one.
    """
    held = read_object(path)
    for section in ("train", "adapter", "optimizer", "penalty"):
        if not isinstance(held.get(section) or {}, dict):
            raise FlextuneError(
                f"{path}: {section!r} is not an object; remove the folder and run the experiment again"
            )
    return held


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({error.strerror})") from None


def _trainings(path: Path, scores: Sequence[Score]) -> Iterator[Training]:
    users: dict[tuple[str, str], list[str]] = {}
    for score in scores:
        for seed, key in score.trainings.items():
            if key is not None:
                arms = users.setdefault((key, seed), [])
                if score.arm not in arms:
                    arms.append(score.arm)
    for (key, seed), arms in users.items():
        folder = path / "trained" / key
        spectrum = read_object(folder / "spectrum.json")
        yield Training(
            key=key,
            arms=tuple(arms),
            seed=seed,
            log=tuple(read_rows(folder / "training.jsonl")),
            matrices=tuple(spectrum.get("matrices") or ()),
            settings=_settings(folder / "key.json"),
        )
