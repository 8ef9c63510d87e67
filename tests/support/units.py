"""A plan without a model, and marks in a run's folder for what was done of it."""

from __future__ import annotations

from flextune.config import parse_experiment
from flextune.files.lines import write_lines
from flextune.records import Completion, Example, Outcome, Problem, Verdict, as_row
from flextune.runner.plan import Plan, Sources, make_plan
from flextune.runner.units import Unit
from flextune.runner.work import Evaluation, Training
from flextune.runs.run import Run

EXPERIMENT = """
name: units
train: {data: rosetta}
evaluate: [{language: py}, {language: java}]
seeds: [0, 1]
arms:
  - {name: baseline, train: null}
  - {name: lora, penalty: null}
  - {name: lora-merged, penalty: null, generate: {export: merged}}
"""

SOURCES = Sources(
    model=lambda name: name,
    problems=lambda part: [Problem(f"p{i}", part.benchmark, part.language, "", "") for i in range(3)],
    examples=lambda train: ([Example("e", "a", "b")], []),
)


def plan_of(text: str = EXPERIMENT, *overrides: str) -> Plan:
    return make_plan(parse_experiment(text, where="x", overrides=overrides), SOURCES)


def of(kind: str, units: list[Unit]) -> list[Unit]:
    return [unit for unit in units if unit.kind == kind]


def finish(run: Run, training: Training) -> None:
    folder = run.trained(training.key).adapter
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")


def generate(run: Run, evaluation: Evaluation) -> None:
    rows = [as_row(Completion(problem.name, 0, "")) for problem in evaluation.generation.problems]
    write_lines(run.generated(evaluation.generation.key).completions_file, rows)


def judge(run: Run, evaluation: Evaluation, outcome: Outcome = "passed") -> None:
    rows = [as_row(Verdict(p.name, 0, outcome, "run")) for p in evaluation.generation.problems]
    write_lines(run.judged(evaluation.key).verdicts_file, rows)


def perform(unit: Unit, run: Run) -> None:
    """Leave what a unit makes."""
    if unit.training is not None:
        finish(run, unit.training)
    for evaluation in unit.evaluations:
        (generate if unit.kind == "generate" else judge)(run, evaluation)
