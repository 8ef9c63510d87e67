"""An option means the same in every command."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Call
from typer.main import get_command

from flextune.cli.app import app

#: What an option that several commands declare stands for. Another meaning needs another name.
MEANINGS = {
    "--adapter": "a PEFT folder",
    "--benchmark": "name of a benchmark",
    "--data-dir": "folder of benchmark files",
    "--dtype": "type of weights",
    "--format": "form of the files that are written",
    "--json": "print one JSON value",
    "--language": "language of problems",
    "--lexicon": "wording of Rosetta's descriptions",
    "--limit": "the first N problems",
    "--max-new-tokens": "tokens of a text",
    "--n": "completions per problem",
    "--no-sandbox": "run programs with the user's rights",
    "--output": "where the result goes",
    "--problems": "a file of problems",
    "--plan": "do nothing, say what would be done",
    "--quick": "next to no data",
    "--replace": "replace another experiment's scores",
    "--runs": "folder of runs",
    "--seed": "seed of all draws",
    "--site-packages": "packages for judged programs",
    "--tolerance": "how far a printed number may be off",
    "--workers": "programs judged in parallel",
}


def options() -> Iterator[tuple[str, str, Any]]:
    """Option, command and parameter."""

    def walk(command: Any, name: str) -> Iterator[tuple[str, str, Any]]:
        for inner, one in getattr(command, "commands", {}).items():
            yield from walk(one, f"{name} {inner}".strip())
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    yield option, name, parameter

    yield from walk(get_command(app), "")


def test_what_several_commands_declare_is_in_the_table_and_takes_the_same() -> None:
    found: dict[str, list[Any]] = defaultdict(list)
    for option, _, parameter in options():
        found[option].append(parameter)
    for option, parameters in found.items():
        # What is declared once, for several commands, has one text.
        if len({one.help for one in parameters}) > 1:
            assert option in MEANINGS
        assert len({bool(getattr(one, "is_flag", False)) for one in parameters}) == 1, option


def test_a_number_and_a_file_never_share_a_name(flextune: Call) -> None:
    """Once ``--samples`` was a number in one command and a file in another."""
    for command, option in (("eval", "--samples"), ("generate", "--samples"), ("power", "--problems")):
        said = flextune(command, *(["rosetta"] if command != "power" else []), option, "2")
        assert (said.code, "No such option" in said.err) == (2, True)


def test_a_file_to_start_from_is_an_experiment_that_uses_what_there_is(
    flextune: Call, tmp_path: Path
) -> None:
    from flextune.config import load_experiment

    file = tmp_path / "mine.yaml"
    assert flextune("init", "-o", file).out == f"{file}: next, flextune run {file} --plan\n"
    experiment = load_experiment(file)
    assert [arm.name for arm in experiment.arms] == ["base", "lora", "fourier"]
    printed = flextune("init").out
    assert printed.count("THIS_FILE") == file.read_text().count(str(file))
    assert "is there already; choose another name" in flextune("init", "-o", file).complaint


def test_quickstart_takes_overrides(flextune: Call, tmp_path: Path) -> None:
    said = flextune("quickstart", "arms.loraa.train=null", "--runs", tmp_path)
    assert said.complaint.startswith("quickstart.yaml: arms.loraa.train: no item 'loraa'")


@pytest.mark.slow
def test_clean_lists_first_and_removes_what_no_score_is_made_from(
    flextune: Call, tmp_path: Path, finished_run: Path
) -> None:
    runs = finished_run.parent
    stray = finished_run / "trained" / "0123456789abcdef"
    stray.mkdir()
    (stray / "key.json").write_text(json.dumps({"seed": 0}))
    kept = {path for path in finished_run.rglob("*") if stray not in (path, *path.parents)}
    said = flextune("clean", "--runs", runs)
    assert f"{finished_run.name}/trained/{stray.name}: unfinished, 0.0 MB" in said.out
    assert "nothing was removed; --yes removes it" in said.out
    assert stray.is_dir()
    assert flextune("clean", "--runs", runs, "--yes", "--json").json["removed"]
    assert not stray.exists()
    assert kept <= set(finished_run.rglob("*")) | {finished_run / ".lock"}


def test_version_is_short_and_long(flextune: Call) -> None:
    assert flextune("-V").out == flextune("--version").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(flextune: Call, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert "_FLEXTUNE_COMPLETE" in flextune("--show-completion", shell).out
