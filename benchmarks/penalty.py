"""What the penalty costs per optimizer step, against a plain loop, a training step, and one pass over memory.

``python -m benchmarks.penalty [--device cpu|cuda] [--quick] [--tiny]``

Each device has its own part of ``results/penalty.md``; measuring one keeps the other's. On CUDA it needs torch,
transformers and PEFT beside flextune.spectral, and nothing else: ``PYTHONPATH=src`` is enough there.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import torch

from benchmarks.penalty_cases import (
    CODE_LLAMA,
    TARGETS,
    TINY,
    Case,
    Naive,
    Size,
    embedded,
    llama_models,
    llama_shapes,
)
from benchmarks.reporting import RESULTS, conditions, finish, table
from flextune.spectral import Penalty, PenaltyForm

STRENGTH = 0.02
FORMS = {"fourier": PenaltyForm(), "update": PenaltyForm(kind="update")}
WAYS = ("gradient", "loss", "proximal")
COMMAND = {
    "cpu": "python -m benchmarks.penalty",
    "cuda": "PYTHONPATH=src python3 -m benchmarks.penalty --device cuda",
}
HEADER = ["model", "targets", "penalty", "way", "ms", "of the step, %", "against the loop", "of the floor"]


@dataclass(frozen=True)
class Measured:
    """Medians over the repetitions, in seconds.

    Attributes:
        case: What was measured.
        ways: (form, way) to seconds.
        naive: Of the plain loop.
        step: Of the training step without a penalty; None where there is no model.
        floor: One read of the matrices and one write of their gradients, at the measured bandwidth.
    """

    case: Case
    ways: Mapping[tuple[str, str], float]
    naive: float
    step: float | None
    floor: float

    def keys(self, of: tuple[str, str] = ("fourier", "gradient")) -> dict[str, float | None]:
        """The three ratios of one way."""
        seconds = self.ways[of]
        return {
            "share_of_step": None if self.step is None else seconds / self.step,
            "speedup_vs_naive": self.naive / seconds,
            "ratio_to_floor": seconds / self.floor,
        }


def measure(case: Case, repetitions: int, bandwidth: float) -> Measured:
    """Time everything in turn, once a repetition: load and clock speed then meet all of it alike."""
    work = {way: call for way, call in _calls(case)}
    if case.step is not None:
        work["step"] = case.step
    for call in work.values():
        for _ in range(2):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repetitions):
        for name, call in work.items():
            seconds[name].append(_timed(call, case.device))
    found = {name: median(values) for name, values in seconds.items()}
    entries = sum(matrix.numel() * matrix.element_size() for matrix in case.matrices)
    return Measured(
        case=case,
        ways={(form, way): found[f"{form} {way}"] for form in FORMS for way in WAYS},
        naive=found["naive"],
        step=found.get("step"),
        floor=2 * entries / bandwidth,
    )


def _calls(case: Case) -> Iterator[tuple[str, Callable[[], object]]]:
    naive = Naive(case.matrices, STRENGTH)
    _check(case, naive)
    yield "naive", naive
    for name, form in FORMS.items():
        penalty = Penalty(form)
        yield f"{name} gradient", lambda p=penalty: p.add_gradients_(case.pairs, STRENGTH)
        yield f"{name} loss", lambda p=penalty: (STRENGTH * p.value(case.pairs)).backward()
        yield f"{name} proximal", lambda p=penalty: p.proximal_(case.pairs, 1e-9)


def _check(case: Case, naive: Naive) -> None:
    """Both sides must do the same work before their times are compared."""
    for matrix in case.matrices:
        matrix.grad = None
    naive()
    wanted = [matrix.grad for matrix in case.matrices]
    _, found = Penalty(FORMS["fourier"]).value_and_gradients(case.pairs)
    for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
        error = (STRENGTH * one - other).norm() / other.norm()
        if not error < 1e-4:
            raise SystemExit(f"matrix {index}: the plain loop's gradient differs by {error:.2g}")


def _timed(call: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    call()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def memory_bandwidth(device: torch.device, repetitions: int, size: int) -> float:
    """Bytes a second, read and written, of a copy of ``size`` bytes: the best of the repetitions."""
    source = torch.empty(size // 4, dtype=torch.float32, device=device).normal_()
    target = torch.empty_like(source)
    target.copy_(source)
    return 2 * size / min(_timed(lambda: target.copy_(source), device) for _ in range(max(repetitions, 3)))


def on_cpu(size: Size) -> list[Measured]:
    """The embedded model with its training step, then Code Llama's shapes without a model."""
    device = torch.device("cpu")
    threads = torch.get_num_threads()
    bandwidth = memory_bandwidth(device, size.repetitions, size.buffer)
    # One thread, as its trainings have.
    torch.set_num_threads(1)
    found = [measure(embedded(), size.steps, bandwidth)]
    torch.set_num_threads(threads)
    return [*found, *(measure(case, size.repetitions, bandwidth) for case in llama_shapes(device))]


def on_models(size: Size, device: torch.device) -> list[Measured]:
    """Models of Code Llama's shape, randomly initialised, with their training steps."""
    bandwidth = memory_bandwidth(device, size.repetitions, size.buffer)
    return [measure(case, size.steps, bandwidth) for case in llama_models(size.llama, device)]


def section(device: str, found: Sequence[Measured], bandwidth_note: str = "") -> str:
    """One device's part of the results."""
    rows = [
        [
            one.case.model,
            one.case.targets,
            form,
            way,
            f"{1e3 * seconds:.3f}",
            "-" if one.step is None else f"{100 * seconds / one.step:.2f}",
            f"{one.naive / seconds:.1f}x",
            f"{seconds / one.floor:.1f}x",
        ]
        for one in found
        for (form, way), seconds in one.ways.items()
    ]
    bases = [
        [
            one.case.model,
            one.case.targets,
            f"{len(one.case.matrices)}",
            f"{sum(matrix.numel() for matrix in one.case.matrices):,}",
            one.case.detail,
            "-" if one.step is None else f"{1e3 * one.step:.1f}",
            f"{1e3 * one.naive:.2f}",
            f"{1e3 * one.floor:.4f}",
        ]
        for one in found
    ]
    base_header = [
        "model",
        "targets",
        "matrices",
        "entries",
        "step",
        "step, ms",
        "plain loop, ms",
        "floor, ms",
    ]
    return "\n\n".join([conditions(), table(HEADER, rows), table(base_header, bases)])


INTRODUCTION = f"""\
# What the penalty costs

Times are medians per optimizer step; everything of a row's model was timed in turn in one process. A
step is forward, backward, clipping and AdamW of LoRA (rank 8) without a penalty, in batches of 4. The plain loop
runs one autograd FFT per matrix, value and backward, with its masks made beforehand; its gradient is checked against
ours first. The floor is one read of every matrix and one write of its gradient at the bandwidth of a large copy; what
fits into a cache may be under it. `gradient` is the default way, `update` the penalty on the update's own spectrum
(`proximal` takes A's step, then B's). Goals for `fourier` by `gradient`: at most 1 % of a step; at least 3x the loop
on the CPU (embedded model) and 5x on a GPU (Code Llama 7B, {CODE_LLAMA.batch} x {CODE_LLAMA.length} tokens, bfloat16)."""
TITLES = {"cpu": "CPU", "cuda": "GPU"}


def merged(previous: str, device: str, text: str) -> str:
    """The results file with one device's part anew, and the other's as it was, or marked open."""
    held = dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", previous, flags=re.DOTALL))
    held[device] = text
    parts = [INTRODUCTION]
    for name, title in TITLES.items():
        body = held.get(
            name, f"Open: no such device yet. One call, under 8 minutes, fills it:\n`{COMMAND[name]}`"
        )
        parts += [f"## {title}", f"<!-- {name} -->\n{body}\n<!-- end -->"]
    return "\n\n".join(parts)


def main() -> None:
    """Measure one device, write its part of the results, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="under a minute, rough numbers, nothing written")
    parser.add_argument(
        "--tiny",
        action="store_true",
        help="the GPU's measurement with a tiny model on any device; no numbers",
    )
    options = parser.parse_args()
    device, rough = torch.device(options.device), options.quick or options.tiny
    if options.tiny or device.type == "cuda":
        size = (
            Size(TINY, steps=2, repetitions=2, buffer=2**20) if options.tiny else Size.of(CODE_LLAMA, rough)
        )
        found = on_models(size, device)
        headline = floor = found[0]
    else:
        found = on_cpu(Size.of(CODE_LLAMA, rough))
        # The embedded model's matrices lie in the cache, so the floor is Code Llama's.
        headline, floor = found[0], next(one for one in found if one.case.targets == TARGETS_SHOWN)
    keys = {**headline.keys(), "ratio_to_floor": floor.keys()["ratio_to_floor"]}
    file = RESULTS / "penalty.md"
    previous = file.read_text(encoding="utf-8") if file.is_file() else ""
    rounded = {name: None if value is None else round(value, 4) for name, value in keys.items()}
    finish("penalty", merged(previous, options.device, section(options.device, found)), rounded, quick=rough)


TARGETS_SHOWN = next(iter(TARGETS))

if __name__ == "__main__":
    main()
