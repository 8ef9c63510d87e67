"""HumanEval (arXiv:2107.03374): 164 Python problems."""

from __future__ import annotations

from pathlib import Path

from flextune.data.files import HubSource, Row, load_rows, parse_unique
from flextune.records import Problem

#: Where an answer ends for a model that keeps writing; none occurs in a reference answer.
STOPS = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```")

FILES = ("HumanEval.jsonl.gz", "HumanEval.jsonl")
HUB = HubSource("openai/openai_humaneval", "openai_humaneval", "test")


def problems(data_dir: Path | None = None) -> list[Problem]:
    """All problems in file order, their reference answers included.

    Raises:
        FlextuneError: If the file is missing everywhere, or naming the bad row.
    """
    return parse_unique(load_rows(FILES, data_dir=data_dir, hub=HUB), problem, lambda item: item.name)


def problem(row: Row) -> Problem:
    """One row as a problem: the tests are its ``check`` function and the call of it."""
    name = row.text("task_id")
    return Problem(
        name=name,
        benchmark="humaneval",
        language="py",
        prompt=row.text("prompt"),
        tests=f"{row.text('test')}\ncheck({row.text('entry_point')})",
        stop=STOPS,
        reference=row.text("canonical_solution"),
        original=name,
    )
