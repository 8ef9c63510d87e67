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

from benchmarks.devices import cache_filler, medians, parse_call, progress, timed
from benchmarks.penalty_cases import CODE_LLAMA, TINY, Case, Naive, embedded, llama_models, llama_shapes
from benchmarks.reporting import conditions, table
from flextune.spectral import LoraPair, Penalty, PenaltyForm

STRENGTH = 0.02
FORMS = {"fourier": PenaltyForm(), "update": PenaltyForm(kind="update")}
WAYS = ("gradient", "loss", "proximal")
INTRODUCTION = f"""\
# What the penalty costs

Medians per optimizer step, in one process. A step is forward, backward, clipping and AdamW of LoRA (rank 8)
without a penalty; it is timed once for each model and target set. The penalties and the plain loop are timed
in turn, each with a cache that holds other things: on the CPU after a step of the embedded model, on a GPU
after a write of 512 MiB. The plain loop runs one autograd FFT per matrix, value and backward, with its masks
made beforehand; that its gradient is ours is checked first. The floor is one read of every matrix and one
write of its gradient at the bandwidth of a large copy. `fourier` by `gradient` is the default; `update` is
the penalty on the update's own spectrum.

Goals for the default: at most 1 % of a step; at least 3x the plain loop on the CPU (embedded model) and 5x
on a GPU ({CODE_LLAMA.name}, {CODE_LLAMA.batch} x {CODE_LLAMA.length} tokens, bfloat16)."""


@dataclass(frozen=True)
class Effort:
    """How often things are timed.

    Attributes:
        steps: Repetitions of a training step.
        penalties: Repetitions of each penalty and of the plain loop, beside a model.
        shapes: The same without a model.
        buffer: Bytes of the copy that gives the bandwidth, and of what fills a GPU's cache.
    """

    steps: int
    penalties: int
    shapes: int
    buffer: int


FULL, QUICK, TRIAL = Effort(20, 40, 15, 2**29), Effort(3, 5, 2, 2**27), Effort(2, 2, 2, 2**20)


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


def measure(
    case: Case,
    bandwidth: float,
    *,
    steps: int = 0,
    repetitions: int,
    before: Callable[[], object] = lambda: None,
) -> Measured:
    """The step of one case, then its penalties and the plain loop.

    Args:
        case: With a step, unless ``steps`` is 0.
        bandwidth: Of memory, bytes a second.
        steps: Repetitions of the step.
        repetitions: Of everything else.
        before: Called ahead of each, to fill the cache.
    """
    naive = Naive(case.matrices, STRENGTH)
    check(case, naive)
    step = medians({"step": case.step}, steps, case.device)["step"] if case.step and steps else None
    progress(f"{case.model}, {case.targets}: step {_milliseconds(step)}")
    loop = ("plain", "loop")
    seconds = medians({loop: naive, **dict(calls(case))}, repetitions, case.device, before=before)
    plain = seconds.pop(loop)
    progress(f"{case.model}, {case.targets}: plain loop {_milliseconds(plain)}, penalties done")
    size = sum(matrix.numel() * matrix.element_size() for matrix in case.matrices)
    return Measured(case, seconds, plain, step, 2 * size / bandwidth)


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.1f} ms"


def calls(case: Case) -> Iterator[tuple[tuple[str, str], Callable[[], object]]]:
    """A call for each form in each way, under (form, way)."""
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
    case = embedded()
    times = {"steps": effort.steps, "repetitions": effort.penalties}
    # In a training every penalty follows a step, which has filled the caches with other things.
    small = measure(case, bandwidth, **times, before=case.step or (lambda: None))
    torch.set_num_threads(threads)
    shapes = llama_shapes(CODE_LLAMA, device)
    return [small, *(measure(shape, bandwidth, repetitions=effort.shapes) for shape in shapes)]


def on_models(device: torch.device, effort: Effort, *, tiny: bool) -> list[Measured]:
    """Models of Code Llama's shape (or a tiny one), randomly initialised, with their training steps."""
    bandwidth = memory_bandwidth(device, effort.buffer)
    progress(f"{bandwidth / 1e9:,.0f} GB a second")
    # A step would do it too, at 100 times the time: nearly all of a run would be steps.
    before = cache_filler(device, effort.buffer)
    times = {"steps": effort.steps, "repetitions": effort.penalties}
    models = llama_models(TINY if tiny else CODE_LLAMA, device)
    return [measure(case, bandwidth, **times, before=before) for case in models]


def part(cases: Sequence[Measured]) -> str:
    """One device's part of the results, in Markdown."""
    ways = [row for case in cases for row in _way_rows(case)]
    header = ["model", "targets", "penalty", "way", "ms", "of a step, %", "against the loop", "of the floor"]
    base = ["model", "targets", "matrices", "entries", "a step is", "step, ms", "plain loop, ms", "floor, ms"]
    return "\n\n".join([conditions(), table(header, ways), table(base, map(_base_row, cases))])


def _way_rows(measured: Measured) -> Iterator[list[str]]:
    for (form, way), seconds in measured.ways.items():
        share, speedup, floor = measured.ratios(form, way).values()
        yield [
            measured.case.model,
            measured.case.targets,
            form,
            way,
            f"{1e3 * seconds:.3f}",
            "-" if share is None else f"{100 * share:.2f}",
            f"{speedup:.1f}x",
            f"{floor:.1f}x",
        ]


def _base_row(measured: Measured) -> list[str]:
    return [
        measured.case.model,
        measured.case.targets,
        str(len(measured.case.matrices)),
        f"{sum(matrix.numel() for matrix in measured.case.matrices):,}",
        measured.case.detail,
        "-" if measured.step is None else f"{1e3 * measured.step:.1f}",
        f"{1e3 * measured.naive:.2f}",
        f"{1e3 * measured.floor:.4f}",
    ]


def main() -> None:
    """Measure one device, write its part of the results, print the ratios of the default."""
    call = parse_call(__doc__)
    effort = call.effort(FULL, QUICK, TRIAL)
    cases = on_models(call.device, effort, tiny=call.tiny) if call.on_models else on_cpu(effort)
    # Code Llama's `mlp`, for the floor; the embedded model's matrices lie in the cache.
    large = next(measured for measured in cases if measured.case.model != "embedded")
    ratios = {**cases[0].ratios(), "ratio_to_floor": large.ratios()["ratio_to_floor"]}
    keys = {name: None if value is None else round(value, 4) for name, value in ratios.items()}
    call.report("penalty", INTRODUCTION, part(cases), keys)


if __name__ == "__main__":
    main()
