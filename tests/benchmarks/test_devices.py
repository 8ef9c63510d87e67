"""Benchmarks that run on several devices: which part a call asks for, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.devices import Call, parse_call

from benchmarks import devices, reporting


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Call:
    monkeypatch.setattr("sys.argv", ["benchmark", *arguments])
    return parse_call(None)


@pytest.mark.parametrize(
    ("arguments", "device", "effort", "on_models"),
    [
        ((), "cpu", "full", False),
        (("--quick",), "cpu", "quick", False),
        (("--tiny",), "cpu", "trial", True),
        (("--tiny", "--quick"), "cpu", "trial", True),
        (("--device", "cuda"), "cuda", "full", True),
        (("--device", "cuda", "--quick"), "cuda", "quick", True),
    ],
)
def test_a_call_says_where_how_much_and_which_part(
    arguments: tuple[str, ...], device: str, effort: str, on_models: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = called(monkeypatch, *arguments)
    assert (call.device.type, call.effort("full", "quick", "trial"), call.on_models) == (
        device,
        effort,
        on_models,
    )


@pytest.mark.parametrize("rough", ["--quick", "--tiny"])
def test_only_a_full_call_writes_the_results_file(
    rough: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for module in (devices, reporting):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    file = tmp_path / "one.md"
    called(monkeypatch).report("one", "# One", "| cpu |", {"key": 1})
    written = file.read_text(encoding="utf-8")
    assert "| cpu |" in written
    called(monkeypatch, rough).report("one", "# One", "| rough |", {"key": 2})
    assert file.read_text(encoding="utf-8") == written
    said = capsys.readouterr().out
    assert "| rough |" in said
    assert json.loads(said.splitlines()[-1]) == {"key": 2}
    called(monkeypatch, "--device", "cuda").report("one", "# One", "| gpu |", {})
    assert "| cpu |" in file.read_text(encoding="utf-8")
