from __future__ import annotations

import pytest

from flextune.config import TrainConfig, parse_experiment
from flextune.records import Example, Problem
from flextune.runner.data_notes import data_notes
from flextune.runner.plan import Plan, Sources, make_plan

TASK = "Return the sum of every third element of the list, but skip the ones that are negative or odd."
TEXT = """
name: x
train: {data: mine.jsonl}
evaluate: [{benchmark: humaneval}]
seeds: [0, 1]
"""


def plan_of(training: list[Example], validation: list[Example], *overrides: str) -> Plan:
    def examples(train: TrainConfig) -> tuple[list[Example], list[Example]]:
        return training, validation

    problems = [Problem("HumanEval/0", "humaneval", "py", TASK, "t")]
    sources = Sources(model=str, problems=lambda part: problems, examples=examples)
    return make_plan(parse_experiment(TEXT, where="x", overrides=overrides), sources)


def notes(plan: Plan) -> list[str]:
    return list(data_notes(plan, plan.trainings))


ROWS = [Example(f"mine.jsonl:{n}", f"p{n % 3}", "c") for n in range(5)]


def test_copies_and_near_copies_of_problems_are_said_once_for_all_seeds() -> None:
    held = [Example("mine.jsonl:9", "p2", "c")]
    copied = Example("mine.jsonl:7", f"Please do this. {TASK} Thank you.", "pass")
    assert notes(plan_of([*ROWS, copied], held)) == [
        "train.data mine.jsonl: 2 of 6 training examples equal an earlier one (mine.jsonl:3, mine.jsonl:4);"
        " train.deduplicate: exact leaves them out",
        "train.data mine.jsonl: 1 training example equal to a validation example;"
        " train.deduplicate: exact leaves them out",
        "train.data mine.jsonl: the training data nearly holds 1 of 1 problems that are evaluated:"
        " mine.jsonl:7 has 100% of the prompt of py HumanEval/0; `flextune overlap` lists them",
    ]


@pytest.mark.parametrize("override", ["train.data=rosetta", "train.deduplicate=exact"])
def test_nothing_is_said_of_drawn_lessons_and_of_copies_that_left(override: str) -> None:
    assert notes(plan_of(ROWS, [], override)) == []
