"""Two processes train the adapter of one, by DDP and FSDP2, and go on from their checkpoints."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.support.power import FailAt, Power
from tests.support.processes import Together, needs_gloo, run_in_two_processes
from tests.support.trainings import lines
from transformers import TrainerCallback

from flextune.config import AdapterConfig, KLConfig, PenaltyConfig, Recipe, TrainConfig, optimizer
from flextune.config.sections.train import EarlyStoppingConfig
from flextune.errors import DivergedError, EndedElsewhere, FlextuneError
from flextune.models.load import load_model
from flextune.records import Example
from flextune.runner import together as company
from flextune.runner.models import ModelStore
from flextune.runs.run import Run
from flextune.training.callbacks.keeping import KeepBestCallback
from flextune.training.callbacks.measuring import MeasuringCallback
from flextune.training.engine import train_adapter

pytestmark = [needs_gloo, pytest.mark.processes]

# Three batches of seven texts: an epoch ends within a step, and with a batch of one text.
EXAMPLES = [Example(str(n), f"say {n % 4}: ", "ab" * (n % 5 + 1)) for n in range(19)]
HELD_OUT = EXAMPLES[:3]
ADAPTER, MODEL = "adapter/adapter_model.safetensors", "model/model.safetensors"


def recipe(
    name: str = "adamw", apply: str = "gradient", of: str = "weights", dropout: float = 0, **changes: Any
) -> Recipe:
    options: dict[str, Any] = {
        "max_steps": 5,
        "batch_size": 6,
        "gradient_accumulation_steps": 3,
        "learning_rate": 1e-2,
        "max_length": 64,
        "logging_steps": 2,
        "early_stopping": EarlyStoppingConfig(patience=9),
    }
    return Recipe(
        adapter=AdapterConfig(rank=2, targets="all", dropout=dropout),
        train=TrainConfig(**{**options, **changes}),
        optimizer=optimizer(name),
        penalty=PenaltyConfig(strength=0.1, apply=apply, of=of),
    )


def whole(**changes: Any) -> Recipe:
    """All weights train."""
    given = recipe(learning_rate=1e-3, **changes)
    return given.model_copy(update={"adapter": None, "penalty": None})


def weights(folder: Path, made: Recipe) -> Path:
    return folder / (MODEL if made.adapter is None else ADAPTER)


#: Name: recipe. Of six batches' parts or whole ones each process has the same number.
CASES: dict[str, Recipe] = {
    "ddp-adamw": recipe(),
    "ddp-loss-kl": recipe(
        apply="loss", kl=KLConfig(tokens="all"), gradient_accumulation_steps=2, batch_size=7
    ),
    "ddp-padding-free": recipe(gradient_accumulation_steps=1, batches="padding_free"),
    "ddp-sophia": recipe("sophia"),
    "ddp-sophia-even": recipe("sophia", gradient_accumulation_steps=2),
    "ddp-whole": whole(),
    "fsdp-adamw": recipe(distributed="fsdp"),
    "fsdp-proximal": recipe(apply="proximal", of="change", distributed="fsdp", gradient_accumulation_steps=2),
    "fsdp-sophia": recipe("sophia", distributed="fsdp", gradient_accumulation_steps=2),
}
RESUMED = {
    "ddp": recipe("sophia", dropout=0.1),
    "ddp-whole": whole(),
    "fsdp": recipe("sophia", of="change", dropout=0.1, distributed="fsdp"),
}


def train(model: Path, folder: Path, made: Recipe, *fails: TrainerCallback) -> None:
    torch.set_num_threads(1)
    train_adapter(load_model(str(model), device="cpu"), EXAMPLES, HELD_OUT, made, folder, callbacks=fails)


def trained(model: Path, trainings: Path, name: str, rank: int) -> None:
    train(model, trainings / name, CASES[name])


def resumed(model: Path, trainings: Path, name: str, rank: int) -> None:
    train(model, trainings / f"{name}-once", RESUMED[name])
    again = trainings / f"{name}-again"
    for step in (2, 3):
        with pytest.raises(Power):
            train(model, again, RESUMED[name], FailAt(step))
    train(model, again, RESUMED[name])


def refused(model: Path, trainings: Path, rank: int) -> None:
    """A checkpoint of two that shard is none of two that do not; one process finds it, both say it."""
    folder = trainings / "refused"
    with pytest.raises(Power):
        train(model, folder, recipe(distributed="fsdp"), FailAt(2))
    with pytest.raises(FlextuneError, match=r"written by 2 processes \(fsdp\), .* has 2 processes \(ddp\)"):
        train(model, folder, recipe())


def diverged(model: Path, trainings: Path, rank: int) -> str:
    """One process alone meets the text whose loss is not finite; both stop, and say the same."""

    class Poison(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 2 and rank == 1:
                head = kwargs["model"].get_base_model().lm_head
                head.register_forward_hook(lambda module, inputs, logits: logits * math.nan)

    with pytest.raises(DivergedError) as caught:
        train(model, trainings / "diverged", recipe(early_stopping=None), Poison())
    return str(caught.value)


def one_fails(folder: Path, rank: int) -> None:
    """The one that fails says so; the first one, which loses its connection then, only ends."""
    said = folder / "said"

    def fails(*_: Any) -> None:
        if rank == 1:
            raise FlextuneError("out of memory")
        while not said.exists():
            time.sleep(0.01)
        raise RuntimeError("gloo: connection closed by peer")

    os.environ["MASTER_ADDR"] = "127.0.0.1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(company, "_train", fails)
        if rank == 1:
            with pytest.raises(FlextuneError, match=r"^process 1 of 2: out of memory$"):
                company.follow()
            said.touch()
            return
        training: Any = SimpleNamespace(recipe=Recipe(), watched=None)
        with pytest.raises(EndedElsewhere), company.leading():
            company.train_together(training, Run(folder), ModelStore())


def measured(model: Path, trainings: Path, rank: int) -> tuple[int, int | None, list[float]]:
    """The first process alone measures; what is found, and so what is kept, is that of both."""
    calls = []

    class Measures(MeasuringCallback):
        def measure(self, model: Any, tokenizer: Any, args: Any, step: int) -> dict[str, float]:
            calls.append(step)
            return {"pass_at_1": float(step == 2)}

    keeping, made = KeepBestCallback("pass_at_1"), recipe(early_stopping=None)
    train(model, trainings / "measured", made, Measures(2), keeping)
    return len(calls), keeping.best_step, [keeping.best]


def spread(model: Path, trainings: Path, rank: int) -> str:
    with pytest.raises(FlextuneError) as caught:
        train(model, trainings / "spread", recipe(distributed="fsdp"), MeasuringCallback(2))
    return str(caught.value)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture(scope="module")
def together(model_folder: Path, trainings: Path, tmp_path_factory: pytest.TempPathFactory) -> Together:
    jobs: dict[str, Callable[[int], object]] = {
        name: partial(trained, model_folder, trainings, name) for name in CASES
    }
    jobs |= {f"resume-{name}": partial(resumed, model_folder, trainings, name) for name in RESUMED}
    jobs["refused"] = partial(refused, model_folder, trainings)
    jobs["measured"] = partial(measured, model_folder, trainings)
    jobs["spread"] = partial(spread, model_folder, trainings)
    jobs["diverged"] = partial(diverged, model_folder, trainings)
    # The last: its processes keep quiet from then on.
    jobs["one-fails"] = partial(one_fails, trainings)
    return run_in_two_processes(jobs, tmp_path_factory.mktemp("processes"))


@pytest.mark.parametrize("name", CASES)
def test_two_processes_train_the_adapter_of_one(
    name: str, model_folder: Path, together: Together, trainings: Path, tmp_path: Path
) -> None:
    together.returned(name)
    train(model_folder, tmp_path, CASES[name])
    found, alone = (load_file(weights(folder, CASES[name])) for folder in (trainings / name, tmp_path))
    assert found.keys() == alone.keys()
    torch.testing.assert_close(found, alone, rtol=1e-5, atol=1e-5)
    for one, other in zip(lines(trainings / name), lines(tmp_path), strict=True):
        assert one.keys() == other.keys()
        # The last step of an epoch is another share of a process's batches than of all.
        numbers = {key: value for key, value in one.items() if key not in ("estimate_share", "epoch")}
        assert numbers == pytest.approx({key: other[key] for key in numbers}, rel=1e-4, abs=1e-5)
    assert sorted(path.name for path in (trainings / name).iterdir()) == sorted(
        path.name for path in tmp_path.iterdir()
    )


@pytest.mark.parametrize("name", RESUMED)
def test_two_processes_go_on_to_the_same_bytes(name: str, together: Together, trainings: Path) -> None:
    together.returned(f"resume-{name}")
    once, again = trainings / f"{name}-once", trainings / f"{name}-again"
    one, other = (weights(folder, RESUMED[name]).read_bytes() for folder in (once, again))
    assert one == other
    assert [line.get("loss") for line in lines(once)] == [line.get("loss") for line in lines(again)]
    assert not (again / "checkpoints").exists()


def test_a_checkpoint_of_other_processes_is_refused(
    model_folder: Path, together: Together, trainings: Path
) -> None:
    together.returned("refused")
    folder = trainings / "refused"
    seal = json.loads((folder / "checkpoints" / "checkpoint-2" / "seal.json").read_text())
    assert {"optimizer_0.pt", "optimizer_1.pt", "flextune_1.pt", "rng_state_1.pth"} <= set(seal["files"])
    with pytest.raises(FlextuneError, match=r"written by 2 processes \(fsdp\), .* has 1 process: start it"):
        train(model_folder, folder, recipe())


def test_one_process_measures_and_both_keep_the_best_by_it(together: Together, trainings: Path) -> None:
    one, other = together.returned("measured")
    assert one == (4, 2, [1.0])
    assert other == (0, 2, [1.0])
    rows = [
        (line["step"], line["pass_at_1"]) for line in lines(trainings / "measured") if "pass_at_1" in line
    ]
    assert rows == [(0, 0.0), (2, 1.0), (4, 0.0), (5, 0.0)]


def test_weights_that_are_spread_are_not_measured(together: Together) -> None:
    one, other = together.returned("spread")
    assert one == other
    assert "the weights are spread over processes (FSDP)" in one


def test_a_loss_that_is_not_finite_in_one_process_ends_both(together: Together) -> None:
    one, other = together.returned("diverged")
    assert one == other
    assert "the loss is nan at step 3" in one


def test_the_process_that_fails_is_named_once(together: Together) -> None:
    together.returned("one-fails")
