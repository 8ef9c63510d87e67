"""What the page says about how a penalty's controls are matched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from flextune.report.facts import facts
from flextune.report.run_data import read_run

ARMS: list[dict[str, Any]] = [
    {"name": "baseline", "train": None},
    {"name": "lora", "penalty": None},
    {"name": "flex"},
    {"name": "flex-merged", "penalty": {"kind": "l2"}, "match": "penalty.strength"},
    {"name": "permuted", "penalty": {"kind": "permuted"}},
]


def controls(folder: Path, matched: dict[str, Any] | None) -> str | None:
    path = folder / "experiment.yaml"
    given = yaml.safe_load(path.read_text())
    given |= {"penalty": {"strength": 0.005}, "arms": ARMS, "match": {"arm": "flex", "seed": 1000}}
    path.write_text(yaml.safe_dump(given))
    if matched is not None:
        (folder / "matched.json").write_text(json.dumps(matched))
    return dict(facts(read_run(folder))).get("Controls")


def test_controls_are_called_by_the_size_that_they_are_matched_in(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert controls(run, None) == "flex-merged, permuted: matched by trace"
    row = {"setting": "penalty.strength", "value": 0.0039, "norm": 4.88, "within": True, "trials": []}
    matched = {"arm": "flex", "norm": 4.9, "seed": 1000, "arms": {"flex-merged": row}}
    assert controls(run, matched) == (
        "permuted: matched by trace; flex-merged: matched by the update's norm"
        " (strength 0.0039: norm 4.88, flex's 4.9, seed 1000)"
    )
    missed = {**matched, "arms": {"flex-merged": {**row, "within": False}}}
    assert str(controls(run, missed)).endswith("seed 1000, outside of the tolerance)")


def test_a_run_without_controls_says_nothing_of_them(finished_run: Path) -> None:
    assert "Controls" not in dict(facts(read_run(finished_run)))
