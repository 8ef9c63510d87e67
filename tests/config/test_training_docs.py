"""The examples of docs/training-data.md are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flextune.config import parse_experiment
from flextune.data import apps_examples, code_search_net, training_rows
from flextune.files.rows import Row

PAGE = (Path(__file__).parents[2] / "docs/training-data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def experiments() -> list[str]:
    """Each block; of a block of alternatives each line."""
    texts = []
    for block in blocks("yaml"):
        lines = block.splitlines()
        alternatives = sum(line.startswith("train:") for line in lines) > 1
        texts += lines if alternatives else [block]
    return texts


@pytest.mark.parametrize("text", experiments())
def test_every_yaml_is_an_experiment(text: str) -> None:
    assert parse_experiment(f"name: x\n{text}", where="training-data.md").resolved_arms()


def test_every_row_is_read() -> None:
    rows = [Row(f"row:{n}", json.loads(text)) for n, text in enumerate(blocks("json"))]
    assert len(rows) == 5
    for row in rows:
        if "difficulty" in row.fields:
            found = list(apps_examples.examples([row]))
        elif "docstring" in row.fields:
            found = list(code_search_net.examples([row], "py"))
        else:
            found = list(training_rows.examples([row]))
        assert len(found) == 1
