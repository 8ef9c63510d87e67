"""``flextune.judging`` by itself: texts or files in, verdicts out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.judging import LIMITS

from flextune.errors import FlextuneError
from flextune.judging import Judge, JudgeSettings, judge_files
from flextune.records import Completion, Problem, Verdict

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs" / "judging.md"
DOUBLE = Problem("double", "test", "py", "def double(x):\n", "assert double(2) == 4")
SAME = Problem("same", "test", "py", "def same(x):\n", "assert same(2) == 2")
RIGHT, WRONG = "    return 2 * x\n", "    return x\n"
SETTINGS = JudgeSettings(LIMITS, workers=1)

#: What a machine that only judges need not have, and what would make a judge start slowly.
ABSENT = (
    "pydantic yaml typer rich jinja2 plotly numpy scipy torch transformers flextune.config flextune.runs "
    "flextune.sources flextune.statistics flextune.models"
)


def loaded_by(script: str) -> list[str]:
    """Those of ``ABSENT`` that a fresh interpreter has loaded after ``script``."""
    question = f"import sys; print(*sorted(set({ABSENT!r}.split()) & set(sys.modules)))"
    command = [sys.executable, "-c", f"{script}\n{question}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return answer.split()


def write_rows(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    texts = [("double", RIGHT), ("nobody", ""), ("double", WRONG), ("same", WRONG)]
    rows: list[dict[str, object]] = [{"name": name, "completion": text} for name, text in texts]
    return write_rows(tmp_path / "samples.jsonl", rows)


def test_every_public_name_comes_without_what_only_other_rooms_need() -> None:
    assert loaded_by("from flextune.judging import *") == []


def test_only_a_comparison_loads_numpy_and_scipy(tmp_path: Path) -> None:
    verdict = {"name": "p", "sample": 0, "outcome": "passed", "stage": "run"}
    first, second = (str(write_rows(tmp_path / f"{name}.jsonl", [verdict])) for name in "ab")
    script = f"import flextune.judging; flextune.judging.compare_files({first!r}, {second!r})"
    assert loaded_by(script) == ["flextune.statistics", "numpy", "scipy"]


def test_a_call_gives_verdicts_in_the_order_of_the_texts(sandboxed: None) -> None:
    with Judge(limits=LIMITS) as judge:
        verdicts = judge([DOUBLE, SAME, DOUBLE], [WRONG, WRONG, RIGHT])
    assert [(v.name, v.sample, v.outcome) for v in verdicts] == [
        ("double", 0, "wrong_answer"),
        ("same", 0, "passed"),
        ("double", 1, "passed"),
    ]


def test_a_call_needs_a_text_for_each_problem(sandboxed: None) -> None:
    with Judge(limits=LIMITS) as judge, pytest.raises(FlextuneError, match="2 problems and 1 texts"):
        judge([DOUBLE, SAME], [RIGHT])


def test_identical_programs_of_two_samples_are_two_verdicts(sandboxed: None) -> None:
    pairs = [(DOUBLE, Completion("double", number, RIGHT)) for number in range(3)]
    with Judge(limits=LIMITS, workers=1) as judge:
        verdicts = sorted(judge.verdicts(pairs), key=lambda verdict: verdict.sample)
    assert [(v.language, v.name, v.sample, v.passed) for v in verdicts] == [
        ("py", "double", number, True) for number in range(3)
    ]


@pytest.mark.parametrize("as_text", [False, True])
def test_files_are_judged_and_what_was_skipped_is_told(
    sandboxed: None, samples: Path, tmp_path: Path, as_text: bool
) -> None:
    output = tmp_path / "verdicts.jsonl"
    judged = judge_files(
        str(samples) if as_text else samples,
        [DOUBLE, SAME],
        SETTINGS,
        output=str(output) if as_text else output,
    )
    assert [(v.name, v.sample, v.outcome) for v in judged.verdicts] == [
        ("double", 0, "passed"),
        ("double", 1, "wrong_answer"),
        ("same", 0, "passed"),
    ]
    assert [Verdict(**json.loads(line)) for line in output.read_text().splitlines()] == judged.verdicts
    assert [skipped.where for skipped in judged.skipped] == ["samples.jsonl:2"]
    assert judged.counts == {"total": 3, "passed": 2, "wrong_answer": 1, "unknown": 0}
    assert judged.by_language == {"py": judged.counts}


def test_no_value_can_slip_into_the_place_of_the_sandbox() -> None:
    with pytest.raises(TypeError):
        JudgeSettings(LIMITS, None, False)  # type: ignore[misc]


def test_the_example_of_the_documents_runs_as_it_stands(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    section = DOCS.read_text(encoding="utf-8").partition("\n## From Python\n")[2].partition("\n## ")[0]
    first = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert first is not None
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(first[1], str(DOCS), "exec"), names)
    assert Path("verdicts.jsonl").is_file()
