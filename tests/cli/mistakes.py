"""A mistake that users make, the words that it must be answered with, and the files it is made among."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

PROBLEM = {
    "name": "double",
    "language": "py",
    "prompt": "def double(x):\n",
    "tests": "assert double(2) == 4",
    "entry_point": "double",
}
SAMPLE = {"name": "double", "completion": "    return 2 * x\n"}
VERDICT = {"name": "double", "sample": 0, "outcome": "passed", "stage": "run", "language": "py"}

EXPERIMENT = """\
name: two
train: {data: rosetta, max_steps: 1, batch_size: 2, limit: 4, validation_size: 0}
evaluate: [{language: py, limit: 2}]
arms:
  - {name: baseline, train: null}
  - {name: lora}
"""


def lines(*rows: Mapping[str, object]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


#: Files that every mistake finds in its folder.
FILES = {
    "file.yaml": EXPERIMENT,
    "problems.jsonl": lines(PROBLEM),
    "samples.jsonl": lines(SAMPLE),
    "verdicts.jsonl": lines(VERDICT),
    "of_java.jsonl": lines({**VERDICT, "language": "java"}),
    "broken.yaml": "name: x\nevaluate:\n  - {language: py, [: 2}\n",
    "tab.yaml": "name: x\n\ttrain: null\n",
    "list.yaml": "- a\n",
    "empty.yaml": "",
    "empty.jsonl": "",
    "cut.jsonl": lines(SAMPLE) + "{cut\n",
    "of_js.jsonl": lines({**SAMPLE, "language": "js"}),
    "scala.jsonl": lines({**PROBLEM, "language": "scala"}),
    "notok/config.json": '{"model_type": "llama"}',
    "a_run/experiment.yaml": EXPERIMENT,
    "a_run/scores.json": '{"scores": [], "comparisons": []}',
    "a_run/judged/0123/verdicts.jsonl": lines(VERDICT),
    "damaged/experiment.yaml": EXPERIMENT,
    "damaged/scores.json": "{cut",
    "made.problems.jsonl": lines(PROBLEM),
    "twice.jsonl": lines(VERDICT, {**VERDICT, "outcome": "timeout"}),
    "sweep.yaml": EXPERIMENT.partition("arms:")[0] + "sweep: {keys: {adapter.rank: [2, 4]}, search: grid}\n",
}

JUDGE = "judge --problems problems.jsonl --samples samples.jsonl"


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        what: Names it.
        command: What was typed after ``flextune``.
        words: All of them are in the answer: what is wrong, where, and what to do.
        code: Exit status.
        begins: Whether it is found only at work, which leaves a run.
    """

    what: str
    command: str
    words: tuple[str, ...]
    code: int = 1
    begins: bool = False


def mistake(what: str, command: str, *words: str, code: int = 1, begins: bool = False) -> Mistake:
    """A row of the tables."""
    return Mistake(what, command, words, code, begins)
