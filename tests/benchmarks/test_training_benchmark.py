from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from benchmarks.training import report
from benchmarks.training_sides import Outcome, Setting, padded_share, sides

from benchmarks import training

#: What the GPU's machine does not have.
ABSENT = ("pydantic", "trl", "datasets", "typer", "rich", "jinja2", "plotly", "scipy", "bitsandbytes")


def setting() -> Setting:
    rows = [{"input_ids": torch.zeros(length, dtype=torch.long)} for length in (4, 8, 4, 8)]
    return Setting(lambda: None, rows, batch_size=4, longest=16, pad=0, device=torch.device("cpu"))


def test_the_useful_share_counts_what_a_plain_script_pads() -> None:
    assert padded_share(setting(), longest=False) == 24 / 64
    assert padded_share(setting(), longest=True) == 24 / 32


def test_a_share_of_the_ceiling_is_the_gain_over_what_leaving_out_padding_can_gain() -> None:
    """Four times the speed where 64/24 can be had is 1.5 ceilings."""
    seconds = dict.fromkeys(sides(), 4.0) | {"flextune, padded": 1.0, "TRL SFTTrainer": 2.0}
    outcomes = {name: [Outcome(value, [1.0], None, 0.5)] for name, value in seconds.items()}
    text, keys = report(setting(), outcomes)
    assert keys["share_of_ceiling_512"] == 1.5
    assert keys["share_of_ceiling_longest"] == 3.0
    assert keys["vs_sft"] == 2.0
    assert "37.5% padded to 16 (ceiling 2.67x)" in text


@pytest.mark.slow
def test_the_gpu_part_runs_from_end_to_end_without_what_its_machine_lacks() -> None:
    code = (
        f"import runpy, sys\nsys.modules.update(dict.fromkeys({ABSENT!r}))\n"
        "sys.argv = ['benchmarks/training.py', '--tiny']\n"
        "runpy.run_module('benchmarks.training', run_name='__main__')"
    )
    folder = Path(training.__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    keys = json.loads(said.stdout.splitlines()[-1])
    assert set(keys) == {"cuda_vs_plain", "cuda_share_of_matmul", "penalty_share"}
