"""What the penalty costs per optimizer step: against a plain loop, a training step and a pass over memory.

``python -m benchmarks.penalty [--device cpu|cuda] [--quick] [--tiny]``

Each device has its own part of ``results/penalty.md``; measuring one keeps the other's. On CUDA it needs
torch, transformers and PEFT beside ``flextune.spectral``, which ``PYTHONPATH=src`` brings without an install.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from benchmarks.devices import medians, parse_call, timed
from benchmarks.penalty_cases import CODE_LLAMA, TINY, Case, Naive, embedded, llama_models, llama_shapes
from benchmarks.reporting import conditions, table
from flextune.spectral import LoraPair, Penalty, PenaltyForm

STRENGTH = 0.02
FORMS = {"fourier": PenaltyForm(), "update": PenaltyForm(kind="update")}
WAYS = ("gradient", "loss", "proximal")
INTRODUCTION = f"""\
# What the penalty costs

Medians per optimizer step; all times of a case are taken in turn, in one process, each after a training step
where there is a model. A step is forward, backward, clipping and AdamW of LoRA (rank 8) without a penalty.
The plain loop runs one autograd FFT per matrix, value and backward, with its masks made beforehand; that its
gradient is ours is checked first. The floor is one read of every matrix and one write of its gradient at the
bandwidth of a large copy. `fourier` by `gradient` is the default; `update` is the penalty on the update's own
spectrum.

Goals for the default: at most 1 % of a step; at least 3x the plain loop on the CPU (embedded model) and 5x
on a GPU ({CODE_LLAMA.name}, {CODE_LLAMA.batch} x {CODE_LLAMA.length} tokens, bfloat16)."""


@dataclass(frozen=True)
class Effort:
    """How often things are timed.

    Attributes:
        steps: Repetitions where a training step is among them.
        shapes: Repetitions where none is.
        buffer: Bytes of the copy that gives the bandwidth.
    """

    steps: int
    shapes: int
    buffer: int


FULL, QUICK, TRIAL = Effort(40, 15, 2**29), Effort(5, 2, 2**27), Effort(2, 2, 2**20)


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

    def ratios(self, form: str = "fourier", way: str = "gradient") -> dict[str, float | None]:
        """One way against the step, the plain loop and the floor."""
        seconds = self.ways[form, way]
        return {
            "share_of_step": None if self.step is None else seconds / self.step,
            "speedup_vs_naive": self.naive / seconds,
            "ratio_to_floor": seconds / self.floor,
        }


def measure(case: Case, repetitions: int, bandwidth: float) -> Measured:
    """Everything about one case."""
    naive = Naive(case.matrices, STRENGTH)
    check(case, naive)
    work: dict[str, Callable[[], object]] = {"naive": naive}
    if case.step is not None:
        work["step"] = case.step
    work |= {f"{form} {way}": call for (form, way), call in calls(case)}
    # In a training every penalty follows a step, which has filled the caches with other things.
    found = medians(work, repetitions, case.device, before=case.step or (lambda: None))
    size = sum(matrix.numel() * matrix.element_size() for matrix in case.matrices)
    ways = {(form, way): found[f"{form} {way}"] for form in FORMS for way in WAYS}
    return Measured(case, ways, found["naive"], found.get("step"), 2 * size / bandwidth)


def calls(case: Case) -> Iterator[tuple[tuple[str, str], Callable[[], object]]]:
    """Each form in each way."""
    pairs = case.pairs
    for name, form in FORMS.items():
        penalty = Penalty(form)
        yield (name, "gradient"), partial(penalty.add_gradients_, pairs, STRENGTH)
        yield (name, "loss"), partial(_backward, penalty, pairs)
        yield (name, "proximal"), partial(penalty.proximal_, pairs, 1e-9)


def _backward(penalty: Penalty, pairs: Sequence[LoraPair]) -> None:
    (STRENGTH * penalty.value(pairs)).backward()


def check(case: Case, naive: Naive) -> None:
    """Both sides do the same work, or their times say nothing."""
    for matrix in case.matrices:
        matrix.grad = None
    naive()
    _, gradients = Penalty(FORMS["fourier"]).value_and_gradients(case.pairs)
    for index, (matrix, gradient) in enumerate(zip(case.matrices, gradients, strict=True)):
        plain = matrix.grad
        assert plain is not None
        error = ((STRENGTH * gradient - plain).norm() / plain.norm()).item()
        if not error < 1e-3:
            raise SystemExit(f"matrix {index}: its gradient and the plain loop's differ by {error:.2g}")


def memory_bandwidth(device: torch.device, size: int) -> float:
    """Bytes a second, read and written, of a copy of ``size`` bytes; the best of ten."""
    source = torch.ones(size // 4, dtype=torch.float32, device=device)
    target = torch.ones_like(source)
    return 2 * size / min(timed(lambda: target.copy_(source), device) for _ in range(10))


def on_cpu(effort: Effort) -> list[Measured]:
    """The embedded model with its training step, and Code Llama's shapes without a model."""
    device, threads = torch.device("cpu"), torch.get_num_threads()
    bandwidth = memory_bandwidth(device, effort.buffer)
    # One thread, as its trainings have.
    torch.set_num_threads(1)
    first = measure(embedded(), effort.steps, bandwidth)
    torch.set_num_threads(threads)
    shapes = llama_shapes(CODE_LLAMA, device)
    return [first, *(measure(case, effort.shapes, bandwidth) for case in shapes)]


def on_models(device: torch.device, effort: Effort, *, tiny: bool) -> list[Measured]:
    """Models of Code Llama's shape (or a tiny one), randomly initialised, with their training steps."""
    bandwidth = memory_bandwidth(device, effort.buffer)
    models = llama_models(TINY if tiny else CODE_LLAMA, device)
    return [measure(case, effort.steps, bandwidth) for case in models]


def part(found: Sequence[Measured]) -> str:
    """One device's part of the results."""
    ways = [row for one in found for row in _way_rows(one)]
    header = ["model", "targets", "penalty", "way", "ms", "of a step, %", "against the loop", "of the floor"]
    base = ["model", "targets", "matrices", "entries", "a step is", "step, ms", "plain loop, ms", "floor, ms"]
    return "\n\n".join([conditions(), table(header, ways), table(base, map(_base_row, found))])


def _way_rows(one: Measured) -> Iterator[list[str]]:
    for (form, way), seconds in one.ways.items():
        share, speedup, floor = one.ratios(form, way).values()
        yield [
            one.case.model,
            one.case.targets,
            form,
            way,
            f"{1e3 * seconds:.3f}",
            "-" if share is None else f"{100 * share:.2f}",
            f"{speedup:.1f}x",
            f"{floor:.1f}x",
        ]


def _base_row(one: Measured) -> list[str]:
    return [
        one.case.model,
        one.case.targets,
        str(len(one.case.matrices)),
        f"{sum(matrix.numel() for matrix in one.case.matrices):,}",
        one.case.detail,
        "-" if one.step is None else f"{1e3 * one.step:.1f}",
        f"{1e3 * one.naive:.2f}",
        f"{1e3 * one.floor:.4f}",
    ]


def main() -> None:
    """Measure one device, write its part of the results, print the ratios of the default."""
    call = parse_call(__doc__)
    effort = call.effort(FULL, QUICK, TRIAL)
    found = on_models(call.device, effort, tiny=call.tiny) if call.on_models else on_cpu(effort)
    # Code Llama's `mlp`, for the floor; the embedded model's matrices lie in the cache.
    large = next(one for one in found if one.case.model != "embedded")
    ratios = {**found[0].ratios(), "ratio_to_floor": large.ratios()["ratio_to_floor"]}
    keys = {name: None if value is None else round(value, 4) for name, value in ratios.items()}
    call.report("penalty", INTRODUCTION, part(found), keys)


if __name__ == "__main__":
    main()
