"""The examples of docs/training.md and docs/training-data.md are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flextune.config import parse_experiment
from flextune.data import apps_examples, code_search_net, training_rows
from flextune.files.rows import Row

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "training-data.md").read_text(encoding="utf-8")
TRAINING = (DOCS / "training.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def experiments() -> list[str]:
    """Each block; of a block of alternatives each line."""
    texts = []
    for block in [*blocks("yaml"), *blocks("yaml", TRAINING)]:
        lines = block.splitlines()
        alternatives = sum(line.startswith("train:") for line in lines) > 1
        texts += lines if alternatives else [block]
    return texts


@pytest.mark.parametrize("text", experiments())
def test_every_yaml_is_an_experiment(text: str) -> None:
    named = text if text.startswith(("#", "name:")) else f"name: x\n{text}"
    assert parse_experiment(named, where="docs").resolved_arms()


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
