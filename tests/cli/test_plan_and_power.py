"""What can be known before a run: its plan, and what it can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.support.command_line import Call

EXPERIMENT = {
    "name": "small",
    "train": {"data": "rosetta", "max_steps": 1, "batch_size": 2, "limit": 4, "validation_size": 0},
    "decode": [{"max_new_tokens": 8}],
    "evaluate": [{"language": "py", "limit": 3}],
    "seeds": [0, 1, 2],
    "arms": [{"name": "base", "train": None}, {"name": "lora"}],
}


@pytest.mark.slow
def test_a_plan_tells_the_work_and_its_power_and_does_nothing(flextune: Call, tmp_path: Path):
    file, runs = tmp_path / "small.yaml", tmp_path / "runs"
    file.write_text(yaml.safe_dump(EXPERIMENT))
    said = flextune("run", file, "--runs", runs, "--plan")
    assert said.code == 0
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert "lora train 0 of 3 trained" in lines
    assert "base rosetta py base judge 0 of 3 programs judged" in lines
    assert "lora rosetta py base judge 0 of 9 programs judged" in lines
    assert "trainings: 3 to do, 0 there already" in lines
    assert "can show, lora − base (3 problems, 3 trainings): no difference up to" in " ".join(lines)
    assert max(map(len, said.out.splitlines())) <= 80
    assert lines[-1] == "nothing was done"
    assert not runs.exists()
    found = flextune("run", file, "seeds=[0]", "--runs", runs, "--plan", "--json").json
    assert (found["trainings"][0]["total"], found["questions"][0]["pairs"]) == (1, ["lora − base"])


def test_power_says_what_an_experiment_can_show(flextune: Call):
    few = flextune("power", "--problem-count", "164", "--seeds", "2", "--json").json
    assert (few["detectable"], set(few["shown"])) == (None, {0.0})
    assert (
        "that takes 3 trainings (there are 2)"
        in flextune("power", "--problem-count", "164", "--seeds", "2").out
    )


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--problem-count", "1"], "power: problems must lie between 2 and 100000 (given: 1)"),
        (
            ["--problem-count", "40", "--rate", "1.5"],
            "power: rate must lie between 0.001 and 0.999 (given: 1.5)",
        ),
        (["--problem-count", "40", "--rate", "nan"], "power: rate must lie between"),
        (
            ["--problem-count", "40", "--seed-spread", "3"],
            "power: seed spread must lie between 0 and 0.3 (given: 3)",
        ),
    ],
)
def test_numbers_that_no_experiment_has_are_one_line(flextune: Call, options: list[str], complaint: str):
    assert flextune("power", *options).complaint.startswith(complaint)
