from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from benchmarks.devices import commands, merged
from benchmarks.penalty_cases import CODE_LLAMA, TARGETS, TINY, Case, Naive, llama_models, llama_shapes

from benchmarks import optimizers, penalty
from flextune.models.families import SETS
from flextune.models.targets import find_targets
from flextune.spectral import LoraPair, Penalty

pytestmark = pytest.mark.slow

#: What the GPU's machine does not have.
ABSENT = ("pydantic", "trl", "datasets", "typer", "rich", "jinja2", "plotly", "scipy", "hypothesis")
CPU = torch.device("cpu")


def run_without(modules: tuple[str, ...], code: str) -> str:
    """Standard output of a process that cannot import some modules."""
    block = f"import sys\nsys.modules.update(dict.fromkeys({modules!r}))\n"
    folder = Path(penalty.__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", block + code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.fixture
def first() -> Case:
    """With a step that works."""
    torch.manual_seed(0)
    return next(llama_models(TINY, CPU))


@pytest.fixture(scope="module")
def tiny() -> dict[str, Case]:
    torch.manual_seed(0)
    return {case.targets: case for case in llama_models(TINY, CPU)}


def test_spectral_imports_torch_alone() -> None:
    code = (
        "import flextune.spectral, flextune.spectral.nulls, flextune.spectral.spectrum\n"
        "print([name for name in ('transformers', 'peft', 'accelerate', 'yaml') if name in sys.modules])"
    )
    assert run_without(ABSENT, code) == "[]\n"


@pytest.mark.slow
def test_the_gpu_part_runs_from_end_to_end_without_what_its_machine_lacks() -> None:
    code = (
        "import runpy\n"
        "sys.argv = ['benchmarks/penalty.py', '--tiny']\n"
        "runpy.run_module('benchmarks.penalty', run_name='__main__')"
    )
    lines = run_without(ABSENT, code).splitlines()
    keys = json.loads(lines[-1])
    assert list(keys) == ["share_of_step", "speedup_vs_naive", "ratio_to_floor"]
    assert all(value > 0 for value in keys.values())
    rows = [line.split(" | ") for line in lines if line.startswith("| tiny")]
    assert [row[1] for row in rows] == ["mlp"] * 6 + ["standard"] * 6 + ["mlp", "standard"]
    assert "- command: `python -m benchmarks.penalty --tiny`" in lines


def test_a_loop_over_matrices_computes_what_is_compared_with_it(tiny: dict[str, Case]) -> None:
    case = tiny["standard"]
    for matrix in case.matrices:
        matrix.grad = None
    Naive(case.matrices, 0.5)()
    _, gradients = Penalty().value_and_gradients(case.pairs)
    for matrix, gradient in zip(case.matrices, gradients, strict=True):
        torch.testing.assert_close(matrix.grad, 0.5 * gradient)
    penalty.check(case, Naive(case.matrices, penalty.STRENGTH))


def test_other_work_is_not_compared(tiny: dict[str, Case]) -> None:
    with pytest.raises(SystemExit, match="matrix 0: its gradient and the plain loop's differ"):
        penalty.check(tiny["mlp"], Naive(tiny["mlp"].matrices, 2 * penalty.STRENGTH))


def test_a_step_leaves_clipped_gradients_of_its_batch_alone(first: Case) -> None:
    assert first.step is not None
    for matrix in first.matrices:
        matrix.grad = torch.full_like(matrix, 1e6)
    first.step()
    grads = [matrix.grad for matrix in first.matrices if matrix.grad is not None]
    assert len(grads) == len(first.matrices)
    assert all(grad.abs().sum() > 0 for grad in grads)
    assert torch.stack([grad.square().sum() for grad in grads]).sum().sqrt() <= 1 + 1e-5


def test_every_target_set_adapts_the_modules_of_the_package(tiny: dict[str, Case]) -> None:
    from tests.support.tiny import tiny_config
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM(tiny_config())
    for name, modules in TARGETS.items():
        assert name in SETS
        wanted = {module.rsplit(".", 1)[-1] for module in find_targets(model, name).modules}
        assert set(modules) == wanted
        assert {pair.name.rsplit(".", 1)[-1] for pair in tiny[name].pairs} == wanted


@pytest.mark.parametrize(("targets", "entries"), [("mlp", 11_599_872), ("standard", 11_927_552)])
def test_code_llama_has_as_many_entries_as_the_paper_says(targets: str, entries: int) -> None:
    cases = {case.targets: case for case in llama_shapes(CODE_LLAMA, torch.device("meta"))}
    assert sum(matrix.numel() for matrix in cases[targets].matrices) == entries
    assert cases[targets].step is None


def test_shapes_without_a_model_are_those_of_the_model(tiny: dict[str, Case]) -> None:
    for case in llama_shapes(TINY, CPU):
        found = sorted(tuple(matrix.shape) for matrix in case.matrices)
        assert found == sorted(tuple(matrix.shape) for matrix in tiny[case.targets].matrices)
        assert {pair.scale for pair in case.pairs} == {pair.scale for pair in tiny[case.targets].pairs}


def test_ratios_are_of_the_medians() -> None:
    case = Case("m", "mlp", [LoraPair(torch.ones(1, 2), torch.ones(3, 1))])
    ways = {(form, way): 2.0 for form in penalty.FORMS for way in penalty.WAYS}
    found = penalty.Measured(case, ways, naive=8.0, step=200.0, floor=0.5)
    assert found.ratios() == {"share_of_step": 0.01, "speedup_vs_naive": 4.0, "ratio_to_floor": 4.0}
    assert penalty.Measured(case, ways, 8.0, None, 0.5).ratios()["share_of_step"] is None


def test_every_way_is_timed_and_the_floor_counts_each_entry_twice(first: Case) -> None:
    found = penalty.measure(first, 1e3, steps=2, repetitions=3)
    assert list(found.ways) == [(form, way) for form in penalty.FORMS for way in penalty.WAYS]
    assert found.floor == 2 * 4 * sum(matrix.numel() for matrix in first.matrices) / 1e3
    assert found.step is not None
    assert min(found.naive, found.step, *found.ways.values()) > 0


def test_a_step_is_timed_once_for_all_penalties_of_a_case(tiny: dict[str, Case]) -> None:
    calls: list[str] = []
    case = replace(tiny["mlp"], step=lambda: calls.append("step"))
    penalty.measure(case, 1e3, steps=4, repetitions=3, before=lambda: calls.append("fill"))
    # Two more of each first, not timed; a step for none of the six penalties and the plain loop.
    assert calls == ["step"] * 6 + ["fill"] * 5 * 7


def test_shapes_alone_have_no_step_to_time() -> None:
    found = penalty.measure(next(llama_shapes(TINY, CPU)), 1e3, repetitions=1)
    assert found.step is None


def test_progress_is_told_while_it_runs(first: Case, capsys: pytest.CaptureFixture[str]) -> None:
    penalty.measure(first, 1e3, steps=1, repetitions=1)
    out, told = capsys.readouterr()
    assert out == ""
    step, loop = told.splitlines()
    assert re.fullmatch(r"\[ *[\d.]+ s\] tiny, mlp: step [\d.]+ ms", step)
    assert "plain loop" in loop


def test_the_gpu_s_whole_part_takes_few_steps_of_the_large_model() -> None:
    """Of 0.19 s each, on a machine that is lent by the minute; two cases, two more steps each to warm up."""
    assert 2 * (penalty.FULL.steps + 2) * 0.19 < 10
    # Gauss-Newton-Bartlett takes 1.1 steps of time, Hutchinson about 4.
    assert (optimizers.FULL.model_steps + 2) * (1 + 1.1 + 4) * 0.19 < 30


def test_measuring_one_device_keeps_the_other_and_marks_what_is_open() -> None:
    def merge(previous: str, device: str, text: str) -> str:
        return merged(previous, device, text, penalty.INTRODUCTION, commands("penalty"))

    cpu = merge("", "cpu", "| cpu numbers |")
    assert "| cpu numbers |" in cpu
    assert "Open: not measured yet. One call fills this part: `PYTHONPATH=src" in cpu
    both = merge(cpu, "cuda", "| gpu numbers |\n\n| more |")
    assert "Open" not in both
    again = merge(both, "cpu", "| newer numbers |")
    assert "| cpu numbers |" not in again
    assert "| newer numbers |" in again
    assert "| gpu numbers |\n\n| more |" in again
    assert merge(again, "cpu", "| newer numbers |") == again


def test_model_is_bfloat16_and_its_adapters_are_random_in_float32(tiny: dict[str, Case]) -> None:
    assert "bfloat16" in tiny["mlp"].detail
    for case in tiny.values():
        assert all(matrix.requires_grad and matrix.dtype == torch.float32 for matrix in case.matrices)
        assert all(matrix.std() > 0 for matrix in case.matrices)
