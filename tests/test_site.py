"""The reference pages of the site, which are made from the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

import flextune
from flextune.cli.app import app
from flextune.config import schema

SCRIPT = Path(__file__).parents[1] / "scripts" / "site_reference.py"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_reference", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_has_its_own_heading_and_options(reference: ModuleType) -> None:
    text = reference.commands()
    for name, command in getattr(get_command(app), "commands", {}).items():
        assert f"\n## `flextune {name}`\n" in text
        for inner in getattr(command, "commands", {}):
            assert f"\n### `flextune {name} {inner}`\n" in text
    assert "* `--problem-count" in text
    assert "{benchmarks}" not in text


def test_every_key_of_an_experiment_has_a_row_with_a_meaning(reference: ModuleType) -> None:
    text = reference.keys()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert all(row.replace("\\|", "").split(" | ")[-1].strip(" |") for row in rows)
    sections = [schema(), *(s for name, s in schema()["$defs"].items() if not name.endswith(" in an arm"))]
    keys = {key for section in sections if section["title"] != "ArmConfig" for key in section["properties"]}
    assert keys == {row.split("`")[1] for row in rows}


def test_a_section_says_where_it_stands(reference: ModuleType) -> None:
    text = reference.keys()
    for place in ("train.early_stopping", "generate.server", "optimizer`: `sophia", "penalty", "arms"):
        assert f"\n## `{place}`\n" in text


def test_every_public_name_is_looked_up_where_it_is_defined(reference: ModuleType) -> None:
    text = reference.calls()
    assert text.count(":::") == len(flextune.__all__)
    assert "::: flextune.api.experiments.run\n" in text
