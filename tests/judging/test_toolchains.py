"""Languages that name their tools; fake ones, found on a PATH of this test."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.judging.languages.base import Basis, Tool, Toolchain


class Fake(Basis):
    """Needs ``fake`` or ``fake4``, version 4.0 at least, and a library beside it."""

    name, suffix = "fake", ".fake"
    oldest = "4.0"
    tools = (
        Tool("fake", "apt-get install fake", programs=("fake", "fake4")),
        Tool("libfake", "apt-get install libfake", is_here=lambda fake: (fake.parent / "libfake").is_file()),
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, name: str, version: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho fake version {version}\n")
    program.chmod(0o755)
    return program


def test_a_program_that_is_missing_is_named_with_its_command(folder: Path) -> None:
    assert Fake().toolchain() == Toolchain(found=False, missing="fake", install="apt-get install fake")


def test_an_older_version_is_named(folder: Path) -> None:
    install(folder, "fake", "3.10.2")
    toolchain = Fake().toolchain()
    assert (toolchain.found, toolchain.missing) == (False, "fake 4.0 or newer (found 3.10.2)")


def test_a_library_that_is_missing_is_named_with_its_command(folder: Path) -> None:
    install(folder, "fake", "4.0.1")
    assert Fake().toolchain() == Toolchain(found=False, missing="libfake", install="apt-get install libfake")


def test_any_of_a_programs_names_will_do(folder: Path) -> None:
    program = install(folder, "fake4", "10.1")
    (folder / "libfake").touch()
    assert Fake().toolchain() == Toolchain(found=True, version="10.1", path=str(program))
