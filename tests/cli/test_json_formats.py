"""What --json prints is what ``flextune schema COMMAND`` says, for every command."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.cli.mistakes import FILES
from tests.support.command_line import Call
from typer.main import get_command

from flextune.cli.app import app
from flextune.cli.json_formats import FORMATS, adapter

#: Command to how it is called; ``{...}`` stands for what the tests have made.
CALLS = {
    "run": "run {file} --runs {runs}",
    "run --plan": "run {file} --runs {runs} --plan",
    "train": "train {file} --runs {runs}",
    "generate": "generate {model} --benchmark rosetta --limit 2 --max-new-tokens 4 -o made.jsonl",
    "judge": "judge --problems problems.jsonl --samples cut.jsonl -o found.jsonl",
    "judge --explain": "judge --problems problems.jsonl --samples samples.jsonl --explain double",
    "check-problems": "check-problems with_reference.jsonl --mutants 1",
    "eval": "eval {model}+{adapter} --benchmark rosetta --limit 2 --max-new-tokens 4 --runs {runs}",
    "score": "score verdicts.jsonl",
    "compare": "compare verdicts.jsonl others.jsonl",
    "overlap": "overlap rosetta --benchmark rosetta",
    "power": "power --problem-count 20",
    "spectrum": "spectrum {adapter}",
    "runs": "runs --runs {runs}",
    "show": "show small --runs {runs}",
    "clean": "clean --runs {runs}",
    "doctor": "doctor",
    "list benchmarks": "list benchmarks",
    "list data": "list data",
    "list languages": "list languages",
    "list models": "list models",
    "list prompts": "list prompts",
}
#: As another command, or tested with it.
NOT_CALLED = {
    "quickstart": "run",
    "quickstart --plan": "run --plan",
    "reproduce": "run",
    "reproduce --plan": "run --plan",
    "merge": "tests/cli/test_merge_command.py",
    "sweep": "tests/sweeps",
    "sweep --plan": "tests/sweeps",
    "tune": "sweep",
    "tune --plan": "sweep --plan",
    "rosetta card": "tests/rosetta/test_card.py",
}
#: Those that need no model and judge nothing.
QUICK = {"compare", "score", "doctor", "power", *(name for name in CALLS if name.startswith("list"))}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("problems.jsonl", "samples.jsonl", "cut.jsonl", "verdicts.jsonl"):
        Path(name).write_text(FILES[name])
    Path("others.jsonl").write_text(FILES["verdicts.jsonl"])
    problem = json.loads(FILES["problems.jsonl"])
    Path("with_reference.jsonl").write_text(json.dumps({**problem, "reference": "    return 2 * x\n"}) + "\n")
    return tmp_path


def check(flextune: Call, name: str, command: str) -> None:
    said = flextune(*shlex.split(command), "--json")
    assert said.code in (0, 1, 3), said.err
    adapter(name).validate_json(said.out, strict=True)


def test_every_format_is_called_or_is_that_of_another() -> None:
    assert FORMATS.keys() == CALLS.keys() | NOT_CALLED.keys()


def test_every_command_with_json_has_a_format() -> None:
    found = set()
    for name, command in getattr(get_command(app), "commands", {}).items():
        inner = getattr(command, "commands", {"": command})
        for other, one in inner.items():
            if any("--json" in getattr(parameter, "opts", ()) for parameter in one.params):
                found.add(f"{name} {other}".strip())
    assert found == {name.partition(" --")[0] for name in FORMATS}


def test_every_format_is_in_the_documents() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z -]+)` +\|", text, flags=re.MULTILINE)) >= FORMATS.keys()


@pytest.mark.slow
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("name", sorted(QUICK))
def test_json_is_as_its_schema_says(flextune: Call, name: str) -> None:
    check(flextune, name, CALLS[name])


@pytest.mark.slow
@pytest.mark.usefixtures("place", "sandboxed")
@pytest.mark.parametrize("name", sorted(CALLS.keys() - QUICK))
def test_json_of_runs_and_programs_is_as_its_schema_says(
    flextune: Call, name: str, runs: Path, experiment_file: Path, model_folder: Path
) -> None:
    (folder,) = runs.glob("small/trained/*/adapter")
    made = {"file": experiment_file, "runs": runs, "model": model_folder, "adapter": folder}
    check(flextune, name, CALLS[name].format(**made))


def test_a_schema_is_printed_for_a_command(flextune: Call) -> None:
    assert flextune("schema", "list", "models").json["items"]["$ref"] == "#/$defs/Model"
    assert "no command 'jugde' prints JSON, did you mean 'judge'?" in flextune("schema", "jugde").complaint
