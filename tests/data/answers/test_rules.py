"""The policy in docs/answers.md, the rules in the code, and what is said of a sample."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.command_line import write_lines

from flextune.data.answers import RULES
from flextune.data.answers.rules import Trace
from flextune.errors import FlextuneError
from flextune.judging import explain_sample
from flextune.records import Problem

PAGE = Path(__file__).resolve().parents[3] / "docs" / "answers.md"
DOUBLE = Problem("a:1", "mine", "py", "def double(x):\n", "assert double(2) == 4", entry_point="double")
FENCED = "```python\ndef double(x):\n    return 2 * x\n\nprint(double(2))\n```<|im_end|>"
SAMPLES = [{"name": "a:1", "completion": "    return 2 * x\n"}, {"name": "a:1", "answer": FENCED}]


def test_the_page_has_every_rule_once() -> None:
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", PAGE.read_text(), re.MULTILINE)) == sorted(RULES)


def test_the_page_of_the_policy_runs() -> None:
    [code] = re.findall(r"```python\n(from .*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(code, "answers.md", "exec"), {})


def test_a_rule_has_a_name_that_is_known() -> None:
    with pytest.raises(KeyError):
        Trace().note("no such rule")


def test_a_sample_is_explained(tmp_path: Path) -> None:
    samples = write_lines(tmp_path / "samples.jsonl", SAMPLES)
    [first] = explain_sample(samples, [DOUBLE], name="a:1")
    assert (first.kind, [step.rule for step in first.steps]) == ("completion", ["completion"])
    assert first.program == DOUBLE.program("    return 2 * x\n")
    [second] = explain_sample(samples, [DOUBLE], name="a:1", sample=1)
    assert (second.kind, second.language, second.sample) == ("answer", "py", 1)
    assert [step.rule for step in second.steps] == ["end-token", "demo", "program"]
    assert "print" not in second.program


@pytest.mark.parametrize(
    ("name", "sample", "said"),
    [("a:1", 2, r"'a:1' has samples 0 to 1 \(asked for: 2\)"), ("b", 0, "no sample of 'b'")],
)
def test_a_sample_that_is_not_there_is_an_error(tmp_path: Path, name: str, sample: int, said: str) -> None:
    samples = write_lines(tmp_path / "samples.jsonl", SAMPLES)
    with pytest.raises(FlextuneError, match=said):
        explain_sample(samples, [DOUBLE], name=name, sample=sample)
