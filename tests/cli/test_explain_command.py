"""``flextune judge --explain``: how a sample was read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.command_line import Call, write_lines

ROW = {
    "name": "a:1",
    "language": "py",
    "prompt": "def double(x):\n",
    "tests": "assert double(2) == 4",
    "entry_point": "double",
}
FENCED = "```python\ndef double(x):\n    return 2 * x\n\nprint(double(2))\n```<|im_end|>"
SAMPLES = [{"name": "a:1", "completion": "    return 2 * x\n"}, {"name": "a:1", "answer": FENCED}]


@pytest.mark.parametrize(("wanted", "number"), [("a:1:1", 1), ("a:1:0", 0)])
def test_the_command_explains(flextune: Call, tmp_path: Path, wanted: str, number: int) -> None:
    problems = write_lines(tmp_path / "rows.jsonl", [ROW])
    samples = write_lines(tmp_path / "samples.jsonl", SAMPLES)
    given = ("judge", "--problems", problems, "--samples", samples, "--explain", wanted)
    said = flextune(*given)
    kind = ("a completion", "an answer")[number]
    assert said.out.startswith(f"a:1, sample {number} (py), read as {kind}\n  ")
    [found] = flextune(*given, "--json").json
    assert (found["name"], found["sample"]) == ("a:1", number)
    assert found["program"] in said.out


def test_the_command_needs_samples(flextune: Call) -> None:
    assert "--explain needs --samples" in flextune("judge", "--explain", "a").complaint
