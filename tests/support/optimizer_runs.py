"""Run folders that compare optimizers, written by hand: every number in them is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tests.support.fake_run import write_rows

from flextune.records import Score
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import compare_all, estimate

Row = dict[str, Any]
ADAMW: Row = {"name": "adamw", "betas": [0.9, 0.999], "eps": 1e-8}
LION: Row = {"name": "lion", "betas": [0.9, 0.99]}
CONSTANT: Row = {"name": "sophia-constant", "gamma": 0.01, "betas": [0.96, 0.99], "eps": 1e-12}
SOPHIA_G: Row = {"name": "sophia", "estimator": "gnb", "every": 10, "gamma": 1.0, "betas": [0.96, 0.99]}
SOPHIA_H: Row = {**SOPHIA_G, "estimator": "hutchinson"}
ROSETTA: Row = {"data": "rosetta", "language": "py", "lexicon": "reserved", "max_steps": 40, "batch_size": 16}
MBPP: Row = {"data": "mbpp", "language": "py", "max_steps": 40, "batch_size": 8}


def log(
    losses: Sequence[float | None],
    *,
    every: int = 10,
    step_seconds: float | None = 0.5,
    memory: int | None = 512 * 2**20,
    **numbers: float | None,
) -> list[Row]:
    """A training.jsonl: a validation every so many steps, and a training line at each but the first."""
    rows: list[Row] = []
    for index, loss in enumerate(losses):
        step = index * every
        clock = {} if step_seconds is None else {"seconds": step * step_seconds}
        if index:
            trained = None if loss is None else loss + 0.1
            line = {"step": step, "epoch": 1.0, "loss": trained, "penalty": 0.0, "grad_norm": 1.0}
            rows.append({**line, "learning_rate": 1e-3, **numbers, **clock})
        rows.append({"step": step, "eval_loss": loss, **clock})
    if step_seconds is not None:
        last: Row = {"step": (len(losses) - 1) * every, "seconds": (len(losses) - 1) * every * step_seconds}
        rows.append({**last, **({} if memory is None else {"peak_memory_bytes": memory})})
    return rows


@dataclass
class OptimizerRun:
    """Collects arms, then writes the folder."""

    path: Path
    scores: list[Score] = field(default_factory=list)
    arms: list[Row] = field(default_factory=list)
    tuned: Row = field(default_factory=dict)

    def arm(
        self,
        name: str,
        optimizer: Row | None,
        logs: Mapping[str, list[Row]],
        *,
        rate: float = 1e-3,
        train: Row = ROSETTA,
        passed: int = 2,
        **key: Any,
    ) -> OptimizerRun:
        """One arm with a log for each seed; ``optimizer`` None: a run from before there was a choice."""
        trainings: dict[str, str | None] = {}
        for seed, rows in logs.items():
            trainings[seed] = f"{name}-{seed}"
            folder = self.path / "trained" / f"{name}-{seed}"
            write_rows(folder / "training.jsonl", rows)
            settings = {"adapter": {"rank": 8}, "train": {**train, "learning_rate": rate}, "penalty": None}
            given = {} if optimizer is None else {"optimizer": optimizer}
            described = {**settings, **given, "seed": int(seed), "examples": 100, "validation": 16, **key}
            (folder / "key.json").write_text(json.dumps(described))
        outcomes = {
            seed: {f"p{i}": ["passed" if i < passed else "wrong_answer"] for i in range(8)} for seed in logs
        }
        self.scores.append(Score(name, "rosetta", "py", "base", "greedy", outcomes, trainings))
        self.arms.append({"name": name, "optimizer": optimizer or {}})
        return self

    def tune(self, arm: str, trials: Sequence[tuple[float, float | None]], *, interior: bool = True) -> None:
        """The trials of an arm's learning rate; the one with the lowest loss is the best."""
        best = min((loss, rate) for rate, loss in trials if loss is not None)[1]
        rows = [
            {"settings": {"train.learning_rate": rate}, "eval_loss": loss, "training": f"t{rate}"}
            for rate, loss in trials
        ]
        settings = {"train.learning_rate": best}
        self.tuned[arm] = {"settings": settings, "interior": interior, "trials": rows}

    def write(self, **experiment: Any) -> Path:
        """The folder."""
        self.path.mkdir(parents=True, exist_ok=True)
        scores = [estimate(score) for score in self.scores]
        baseline = self.scores[0].arm
        text = scores_json("study", baseline, scores, compare_all(scores, baseline))
        (self.path / "scores.json").write_text(text)
        given = {"name": "study", "model": "rosetta", "train": ROSETTA, "arms": self.arms, **experiment}
        (self.path / "experiment.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
        environment = {
            "command": "flextune run study.yaml",
            "commit": "0123456789abcdef",
            "versions": {"flextune": "0.1.0", "torch": "2.13.0"},
            "hardware": {"cpu": "a processor", "cores": 2},
        }
        (self.path / "environment.json").write_text(json.dumps(environment))
        if self.tuned:
            document = {"trainings": 3, "seed": 1000, "arms": self.tuned}
            (self.path / "tuned.json").write_text(json.dumps(document))
        return self.path


def falling(start: float, end: float, *, points: int = 5, power: float = 0.5) -> list[float | None]:
    """Losses that fall quickly, then slowly."""
    return [start + (end - start) * (i / (points - 1)) ** power for i in range(points)]
