from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from tests.support.command_line import Call

COMMANDS = [
    [],
    ["run"],
    ["sweep"],
    ["tune"],
    ["quickstart"],
    ["train"],
    ["generate"],
    ["judge"],
    ["eval"],
    ["check-problems"],
    ["compare"],
    ["score"],
    ["power"],
    ["overlap"],
    ["reproduce"],
    ["report"],
    ["figures"],
    ["merge"],
    ["spectrum"],
    ["runs"],
    ["show"],
    ["clean"],
    ["init"],
    ["list"],
    ["list", "benchmarks"],
    ["list", "data"],
    ["list", "languages"],
    ["list", "models"],
    ["list", "prompts"],
    ["doctor"],
    ["schema"],
    ["rosetta"],
    ["rosetta", "pretrain"],
    ["rosetta", "card"],
    ["rosetta", "rows"],
]


def in_a_new_process(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["eval", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(command: list[str]):
    code = f"""
import contextlib, io, sys
from flextune.cli import main
sys.argv = ["flextune", *{command!r}]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as out:
    main()
assert out.getvalue()
heavy = "torch transformers peft scipy plotly numpy".split()
print([name for name in heavy if name in sys.modules])
"""
    assert in_a_new_process(code) == "[]\n"


def test_the_base_install_needs_no_click_of_its_own():
    """typer carries its own copy: the package click is not among our dependencies."""
    code = """
import sys
sys.modules["click"] = None
import flextune.cli.app
print("loaded")
"""
    assert in_a_new_process(code) == "loaded\n"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_of_80_columns(
    flextune: Call, command: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    said = flextune(*command, "--help")
    assert said.code == 0
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith(" Usage: flextune") for line in lines)
    assert "…" not in said.out
    assert "<bool>" not in said.out


def test_every_command_is_in_the_list_above(flextune: Call):
    from typer.main import get_command

    from flextune.cli.app import app

    commands = getattr(get_command(app), "commands", {})
    found: list[list[str]] = [[]]
    for name, command in commands.items():
        found += [[name], *([name, inner] for inner in getattr(command, "commands", {}))]
    assert sorted(found) == sorted(COMMANDS)


def test_version_is_that_of_the_distribution(flextune: Call):
    assert flextune("--version").out == f"flextune {version('flextune')}\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["rum"], "Did you mean 'run'"),
        (["run"], "Missing argument 'FILE'"),
        (["judge", "--workers", "none"], "--workers"),
        (["eval", "rosetta", "--no-such-option"], "--no-such-option"),
    ],
)
def test_a_wrong_command_line_shows_the_usage_and_ends_with_2(
    flextune: Call, arguments: list[str], complaint: str
):
    said = flextune(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert complaint in said.err
    assert "Usage: flextune" in said.err
    assert "Traceback" not in said.err


def test_schema_is_one_json_value_that_knows_every_key(flextune: Call):
    found = flextune("schema").json
    assert {"name", "model", "train", "penalty", "decode", "evaluate", "arms"} <= set(found["properties"])


@pytest.mark.slow
def test_doctor_speaks_of_sandbox_languages_and_packages(flextune: Call):
    said = flextune("doctor", "--json")
    rows = {row["what"]: row for row in json.loads(said.out)}
    assert {"sandbox", "py", "java", "js", "torch", "transformers", "peft"} <= set(rows)
    assert rows["torch"]["version"] == version("torch")
    assert said.code == (0 if rows["sandbox"]["found"] else 1)
    assert {"device", "data"} <= set(rows)


def test_doctor_says_how_to_get_what_is_missing(flextune: Call, only_on_path):
    only_on_path()
    said = flextune("doctor")
    assert said.code == 1
    missing = {line.split()[1]: line for line in said.out.splitlines() if line.startswith("missing")}
    assert "apt-get install bubblewrap" in missing["sandbox"]
    assert "apt-get install" in missing["Java"]
    assert "apt-get install" in missing["JavaScript"]
    assert "Python" not in missing
    together = next(
        line for line in said.out.splitlines() if line.startswith("all that is missing: sudo apt-get")
    )
    assert missing["Java"].rpartition("install ")[2] in together


def test_doctor_demands_a_language_where_it_is_asked_for(flextune: Call, only_on_path):
    only_on_path("bwrap")
    assert flextune("doctor", "--language", "python").code == 0
    assert flextune("doctor", "--language", "python,java").code == 1
