from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from benchmarks.devices import medians, merged
from benchmarks.penalty_cases import TINY, Case, llama_shapes

from benchmarks import optimizers
from flextune.spectral import LoraPair

#: What the GPU's machine does not have.
ABSENT = ("pydantic", "trl", "datasets", "typer", "rich", "jinja2", "plotly", "scipy", "pytorch_optimizer")
CPU = torch.device("cpu")


@pytest.fixture
def case() -> Case:
    return next(llama_shapes(TINY, CPU))


@pytest.mark.slow
def test_the_gpu_part_runs_from_end_to_end_without_what_its_machine_lacks() -> None:
    code = (
        f"import runpy, sys\nsys.modules.update(dict.fromkeys({ABSENT!r}))\n"
        "sys.argv = ['benchmarks/optimizers.py', '--tiny']\n"
        "runpy.run_module('benchmarks.optimizers', run_name='__main__')"
    )
    folder = Path(optimizers.__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    keys = json.loads(lines[-1])
    assert list(keys) == ["update_vs_adamw", "estimate_share"]
    assert all(value > 0 for value in keys.values())
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| tiny")]
    assert [row[3] for row in rows[:3]] == ["Sophia, foreach", "AdamW, foreach", "AdamW, fused"]
    assert [row[2] for row in rows[3:]] == ["Gauss-Newton-Bartlett", "Hutchinson"]


def test_every_optimizer_has_its_own_tensors_of_the_same_values_and_a_whole_state(case: Case) -> None:
    entries = sum(matrix.numel() for matrix in case.matrices)
    seen: set[int] = set()
    for name, optimizer in list(optimizers.contenders(case.matrices)):
        held = optimizer.param_groups[0]["params"]
        for parameter, matrix in zip(held, case.matrices, strict=True):
            torch.testing.assert_close(parameter, matrix)
        assert not seen & {parameter.data_ptr() for parameter in held}
        seen |= {parameter.data_ptr() for parameter in held}
        optimizer.step()
        # Two float32 averages, at most three; AdamW counts its steps in tensors.
        assert 8 * entries <= optimizers.state_bytes(optimizer) <= 12 * entries + 4 * len(held), name


def test_sophia_steps_every_tensor_when_it_is_timed(case: Case) -> None:
    optimizer = dict(optimizers.contenders(case.matrices))[optimizers.OURS]
    assert isinstance(optimizer, optimizers.Sophia)
    optimizer.step()
    assert all(state["hessian_weight"] > 0 for state in optimizer.state.values())
    assert len(optimizer.state) == len(case.matrices)


def test_a_run_has_as_many_estimates_as_the_optimizer_asks_for() -> None:
    assert optimizers.estimates_in(282, early=False) == 29
    assert optimizers.estimates_in(282, early=True) == 31


def test_the_share_is_of_the_whole_run() -> None:
    case = Case("m", "mlp", [LoraPair(torch.ones(1, 2), torch.ones(3, 1))])
    training = optimizers.Training(case, step=1.0, estimates={"one": 2.0})
    assert training.share("one", early=False) == 58 / (58 + 282)
    assert training.share("one", early=True) == 62 / (62 + 282)


def test_the_ratio_is_ours_over_adamw() -> None:
    case = Case("m", "mlp", [LoraPair(torch.ones(1, 2), torch.ones(3, 1))])
    update = optimizers.Update(case, {optimizers.OURS: 3.0, optimizers.BASE: 2.0, "other": 9.0}, {})
    assert update.ratio == 1.5


def test_calls_take_turns_and_have_one_median_each() -> None:
    order: list[str] = []
    found = medians({name: partial(order.append, name) for name in "ab"}, 3, CPU)
    assert order == ["a", "b"] * 5
    assert set(found) == {"a", "b"}


def test_a_results_file_keeps_the_part_of_the_other_device() -> None:
    commands = {"cpu": "run it", "cuda": "run it there"}
    first = merged("", "cuda", "| gpu |", "# Title", commands)
    assert "Open: not measured yet. One call fills this part: `run it`" in first
    both = merged(first, "cpu", "| cpu |\n\n| more |", "# Title", commands)
    assert "Open" not in both
    assert both.index("| cpu |") < both.index("| gpu |")
    assert merged(both, "cpu", "| cpu |\n\n| more |", "# Title", commands) == both
