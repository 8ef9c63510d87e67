"""``--problems``: a user's own problems in place of a benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.command_line import Call, read_lines, write_lines


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    frame = {"prompt": "p", "tests": "t", "stop_tokens": ["\n"]}
    rows = [{"name": name, "language": language, **frame} for name, language in (("a", "js"), ("b", "java"))]
    return write_lines(tmp_path / "own.jsonl", rows)


def test_completions_of_own_problems(
    flextune: Call, model_folder: Path, problems: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    request = ("generate", model_folder, "--problems", problems, "-o", output, "--max-new-tokens", "4")
    assert "has several languages (js, java); choose one with --language" in flextune(*request).complaint
    assert flextune(*request, "--language", "java").code == 0
    assert [line["name"] for line in read_lines(output)] == ["b"]
    (posed,) = read_lines(output.with_name("out.jsonl.problems.jsonl"))
    assert (posed["name"], posed["language"]) == ("b", "java")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--benchmark", "humaneval"), "--problems and --benchmark exclude each other"),
        (("--language", "rust"), "own.jsonl: no problem in rs (its languages: java, js)"),
    ],
)
def test_what_cannot_be_asked_of_own_problems(
    flextune: Call, model_folder: Path, problems: Path, tmp_path: Path, options: tuple[str, str], message: str
) -> None:
    output = tmp_path / "out.jsonl"
    said = flextune("generate", model_folder, "--problems", problems, "-o", output, *options)
    assert message in said.complaint
    assert not output.exists()
