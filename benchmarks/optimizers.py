"""What Sophia costs: its update against AdamW's, and its curvature estimates against the whole training.

``python -m benchmarks.optimizers [--device cpu|cuda] [--quick] [--tiny]``

Each device has its own part of ``results/optimizers.md``; measuring one keeps the other's. On CUDA it needs
torch, transformers and PEFT beside ``flextune.optim``, which ``PYTHONPATH=src`` brings without an install.
pytorch_optimizer is compared where it is installed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from benchmarks.devices import medians, parse_call, progress
from benchmarks.penalty_cases import CODE_LLAMA, TINY, Case, embedded, llama_models, llama_shapes
from benchmarks.reporting import conditions, table
from flextune.optim import Estimator, GaussNewtonBartlett, Hutchinson, Sophia, factor_groups

# Repetitions should not change what is measured: the weights stay where they are.
LR = 1e-9
EVERY = 10
RUN = 282
OURS, BASE = "Sophia, foreach", "AdamW, foreach"
ESTIMATORS = {"Gauss-Newton-Bartlett": GaussNewtonBartlett, "Hutchinson": Hutchinson}
INTRODUCTION = f"""\
# What Sophia costs

Medians; all times of a case are taken in turn, in one process. Adapters are float32, rank 8, on the MLP
(targets `mlp`). State is what the optimizer keeps. pytorch_optimizer's SophiaH is given one estimate
beforehand, so that its time is its update's alone, as ours is.

A step of training is forward, backward, clipping and Sophia's update; an estimate is everything from a
batch of the training to the new curvature. Its share is of the time of a run of {RUN} steps, with an estimate
every {EVERY}, then also with the early ones that are the default.

Goals: the update at most 1.2x AdamW's foreach; Gauss-Newton-Bartlett at most 15 % of a run."""


@dataclass(frozen=True)
class Effort:
    """How often things are timed.

    Attributes:
        updates: Repetitions of an optimizer's update.
        steps: Repetitions of a step and of each estimate of the embedded model.
        model_steps: The same of a whole model, whose steps are long and even.
    """

    updates: int
    steps: int
    model_steps: int


FULL, QUICK, TRIAL = Effort(200, 40, 15), Effort(10, 3, 3), Effort(2, 2, 2)


@dataclass(frozen=True)
class Update:
    """Seconds of each optimizer's update and bytes of its state."""

    case: Case
    seconds: Mapping[str, float]
    state: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """Seconds of our update over those of AdamW's foreach."""
        return self.seconds[OURS] / self.seconds[BASE]


@dataclass(frozen=True)
class Training:
    """Seconds of a training step and of an estimate; no entry where memory did not suffice."""

    case: Case
    step: float
    estimates: Mapping[str, float]

    def share(self, name: str, *, early: bool) -> float:
        """Which part of a run's time is spent on estimates."""
        spent = estimates_in(RUN, early=early) * self.estimates[name]
        return spent / (spent + RUN * self.step)


def estimates_in(steps: int, *, early: bool) -> int:
    """How many estimates the optimizer asks for in a run."""
    parameter = nn.Parameter(torch.ones(1))
    optimizer, count = Sophia([parameter], every=EVERY, early_estimates=early), 0
    for _ in range(steps):
        parameter.grad = torch.ones(1)
        count += optimizer.estimate_due and optimizer.update_hessian([torch.ones(1)])
        optimizer.step()
    return count


def contenders(tensors: Sequence[Tensor]) -> Iterator[tuple[str, Optimizer]]:
    """Each optimizer on tensors and gradients of its own, and with its state."""

    def copies() -> list[nn.Parameter]:
        parameters = [nn.Parameter(tensor.detach().clone()) for tensor in tensors]
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        return parameters

    sophia = Sophia(copies(), LR, foreach=True, weight_decay=0.1)
    sophia.update_hessian([torch.rand_like(tensor) for tensor in tensors])
    yield OURS, sophia
    yield BASE, AdamW(copies(), LR, foreach=True, weight_decay=0.1)
    yield "AdamW, fused", AdamW(copies(), LR, fused=True, weight_decay=0.1)
    if importlib.util.find_spec("pytorch_optimizer"):
        from pytorch_optimizer import SophiaH

        other = SophiaH(copies(), LR, weight_decay=0.1, update_period=10**9, foreach=True)
        other.step(hessian=[torch.rand_like(tensor) for tensor in tensors])
        yield "pytorch_optimizer SophiaH", other


def measure_update(case: Case, repetitions: int) -> Update:
    """Time the updates of one set of matrices."""
    optimizers = dict(contenders(case.matrices))
    seconds = medians({name: each.step for name, each in optimizers.items()}, repetitions, case.device)
    progress(f"{case.model}: updates timed")
    return Update(case, seconds, {name: state_bytes(each) for name, each in optimizers.items()})


def state_bytes(optimizer: Optimizer) -> int:
    """Bytes of all tensors that an optimizer keeps."""
    tensors: Iterable[object] = (value for state in optimizer.state.values() for value in state.values())
    return sum(x.numel() * x.element_size() for x in tensors if isinstance(x, Tensor))


def measure_training(case: Case, repetitions: int) -> Training:
    """Time steps and estimates of a model, on the same batches."""
    optimizer = Sophia(factor_groups(case.adapted), LR, every=EVERY)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    turns = {name: cycle(case.batches) for name in ("step", *ESTIMATORS)}

    def step() -> None:
        case.adapted(**next(turns["step"])).loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def estimating(name: str) -> Callable[[], None]:
        estimator: Estimator = ESTIMATORS[name](optimizer.param_groups)

        def estimate() -> None:
            estimator.accumulate(case.adapted, next(turns[name]))
            optimizer.update_hessian(estimator.finish())

        return estimate

    work = {name: estimating(name) for name in ESTIMATORS}
    for name in list(work):
        try:
            work[name]()
        except torch.OutOfMemoryError:
            del work[name]
            torch.cuda.empty_cache()
            progress(f"{case.model}: {name} is out of memory")
    seconds = medians({**work, "step": step}, repetitions, case.device)
    progress(f"{case.model}: steps and estimates timed")
    return Training(case, seconds.pop("step"), seconds)


def on_cpu(effort: Effort) -> tuple[list[Update], list[Training]]:
    """The embedded model and its training, and Code Llama's shapes without a model."""
    threads = torch.get_num_threads()
    # One thread, as its trainings have.
    torch.set_num_threads(1)
    case = embedded()
    first, training = measure_update(case, effort.updates), measure_training(case, effort.steps)
    torch.set_num_threads(threads)
    large = next(llama_shapes(CODE_LLAMA, torch.device("cpu")))
    return [first, measure_update(large, max(2, effort.updates // 4))], [training]


def on_models(device: torch.device, effort: Effort, *, tiny: bool) -> tuple[list[Update], list[Training]]:
    """A model of Code Llama's shape (or a tiny one), randomly initialised, with its training."""
    case = next(llama_models(TINY if tiny else CODE_LLAMA, device))
    return [measure_update(case, effort.updates)], [measure_training(case, effort.model_steps)]


def part(updates: Sequence[Update], trainings: Sequence[Training]) -> str:
    """One device's part of the results, in Markdown."""
    update_header = [
        "model",
        "matrices",
        "entries",
        "optimizer",
        "update, ms",
        "of AdamW's foreach",
        "state, MiB",
    ]
    header = ["model", "a step is", "estimator", "step, ms", "estimate, ms", "share", "share with early ones"]
    return "\n\n".join(
        [
            conditions(versions=versions()),
            table(update_header, [row for one in updates for row in _update_rows(one)]),
            table(header, [row for one in trainings for row in _training_rows(one)]),
        ]
    )


def versions() -> dict[str, str]:
    """Of what is compared with, where it is there."""
    if not importlib.util.find_spec("pytorch_optimizer"):
        return {}
    from importlib.metadata import version

    return {"pytorch_optimizer": version("pytorch_optimizer")}


def _update_rows(one: Update) -> Iterator[list[str]]:
    entries = sum(matrix.numel() for matrix in one.case.matrices)
    for name, seconds in one.seconds.items():
        yield [
            one.case.model,
            str(len(one.case.matrices)),
            f"{entries:,}",
            name,
            f"{1e3 * seconds:.3f}",
            f"{seconds / one.seconds[BASE]:.2f}x",
            f"{one.state[name] / 2**20:.2f}",
        ]


def _training_rows(one: Training) -> Iterator[list[str]]:
    for name in ESTIMATORS:
        row = [one.case.model, one.case.detail, name, f"{1e3 * one.step:.1f}"]
        if name not in one.estimates:
            yield [*row, "out of memory", "-", "-"]
            continue
        shares = [f"{one.share(name, early=early):.1%}" for early in (False, True)]
        yield [*row, f"{1e3 * one.estimates[name]:.1f}", *shares]


def main() -> None:
    """Measure one device, write its part of the results, print the two ratios of the goals."""
    call = parse_call(__doc__)
    effort = call.effort(FULL, QUICK, TRIAL)
    measured = on_models(call.device, effort, tiny=call.tiny) if call.on_models else on_cpu(effort)
    updates, trainings = measured
    share = trainings[0].share("Gauss-Newton-Bartlett", early=True)
    keys = {
        "update_vs_adamw": round(max(one.ratio for one in updates), 3),
        "estimate_share": round(share, 4),
    }
    call.report("optimizers", INTRODUCTION, part(updates, trainings), keys)


if __name__ == "__main__":
    main()
