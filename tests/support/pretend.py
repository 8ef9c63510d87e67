"""An execution without a model: adapters are marks, programs pass by rule, and every piece is logged."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flextune.config import Experiment, make_experiment
from flextune.files.lines import write_lines
from flextune.records import Completion, Example, Outcome, Problem, Verdict, as_row
from flextune.runner.execute import Execution, RunOptions
from flextune.runner.plan import Plan, Sources
from flextune.runner.work import Evaluation, Training
from flextune.runs.run import Run

PROBLEMS = 40

SWEEP = """
name: pretend
train: {data: rosetta, validation_size: 1}
penalty: {strength: 0.02}
decode: [{strategy: sample, temperature: 0.2, n: 2}]
evaluate: [{language: py}]
seeds: [0, 1, 2]
sweep:
  keys: {penalty.strength: [0.001, 0.02], decode.temperature: [0.1, 0.5, 0.9]}
"""


def pretend_sweep(*overrides: str, keys: Mapping[str, Any] | None = None) -> Experiment:
    """The sweep above, with other keys where they are given."""
    raw = yaml.safe_load(SWEEP)
    if keys is not None:
        raw["sweep"]["keys"] = dict(keys)
    return make_experiment(raw, where="pretend.yaml", overrides=overrides)


class Pretend(Execution):
    """Passes more the nearer the temperature is to one half and the smaller the strength.

    Args:
        folder: Of the run.
        options: Its ``data_dir`` may hold a file ``pace``: seconds that a piece takes.
    """

    def __init__(self, folder: Path, options: RunOptions) -> None:
        self.run, self.options, self.reporter = Run(folder), options, options.reporter
        self._origins: dict[str, str] = {}
        self._sources = Sources(
            model=lambda name: name,
            problems=lambda part: [
                Problem(f"p{i:02}", part.benchmark, part.language, "", "", lexicon=part.lexicon)
                for i in range(PROBLEMS)
            ],
            examples=lambda train: ([Example("e", "a", "b")], [Example("v", "a", "b")]),
        )

    def environment(self) -> dict[str, Any]:
        """As it would be everywhere."""
        return {"versions": {"flextune": "1"}, "commit": None, "data": {}, "hardware": {}}

    def check(self, plan: Plan) -> list[Evaluation]:
        """There is no model, and no sandbox is needed."""
        return plan.evaluations

    def train(self, training: Training) -> None:
        """A mark where the adapter would be."""
        trained = self.run.trained(training.key)
        if trained.finished:
            return
        self._log("train", training.key)
        trained.describe(training.row())
        self._work()
        strength = training.recipe.penalty.strength if training.recipe.penalty else 0.0
        write_lines(trained.folder / "training.jsonl", [{"step": 1, "eval_loss": 1 + strength}])
        trained.adapter.mkdir(parents=True, exist_ok=True)
        (trained.adapter / "adapter_config.json").write_text("{}")
        self._log("trained", training.key)

    def evaluate(self, plan: Plan) -> None:
        """Texts and verdicts at once."""
        for training in plan.trainings:
            self.train(training)
        for evaluation in plan.evaluations:
            judged = self.run.judged(evaluation.key)
            if judged.verdicts_file.exists():
                continue
            self._log("judge", evaluation.key)
            self._work()
            generation = evaluation.generation
            samples = [(p.name, s) for p in generation.problems for s in range(generation.decode.n)]
            folder = self.run.generated(generation.key)
            folder.begin(generation.row(), generation.problems)
            write_lines(folder.completions_file, [as_row(Completion(n, s, "")) for n, s in samples])
            judged.describe(evaluation.row())
            write_lines(judged.verdicts_file, [as_row(self._verdict(evaluation, n, s)) for n, s in samples])
            self._log("judged", evaluation.key)

    def _verdict(self, evaluation: Evaluation, name: str, sample: int) -> Verdict:
        generation = evaluation.generation
        reach = 12
        if generation.form.training is not None:
            settings = self.run.trained(generation.form.training).settings()
            strength = (settings.get("penalty") or {"strength": 0})["strength"]
            reach = round(30 - 30 * abs(generation.decode.temperature - 0.5) - 100 * strength)
        # Problems of every number lie in both halves.
        easy = (int(name[1:]) * 7 + sample) % PROBLEMS < reach
        outcome: Outcome = "passed" if easy else "wrong_answer"
        return Verdict(name, sample, outcome, "run")

    def _work(self) -> None:
        pace = (self.options.data_dir or Path("/nowhere")) / "pace"
        time.sleep(float(pace.read_text()) if pace.exists() else 0)

    def _log(self, what: str, key: str) -> None:
        line = json.dumps({"what": what, "key": key, "worker": os.getpid()}) + "\n"
        self.run.folder.mkdir(parents=True, exist_ok=True)
        with (self.run.folder / "work.log").open("a") as file:
            file.write(line)


def work(folder: Path) -> list[dict[str, Any]]:
    """What was done, in order."""
    log = folder / "work.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
