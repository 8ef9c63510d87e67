"""Sophia in a plain transformers Trainer, against steps and estimates computed by hand."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from tests.support.sophia import InOrder, SophiaTrainer, micro_batches
from tests.support.trainings import LossScaling, arguments, matrices, model_with_adapter, rows, train
from torch import Tensor
from transformers import Trainer, TrainerCallback

from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.optim import Estimator, GaussNewtonBartlett, Hutchinson, Sophia, factor_groups
from flextune.spectral.pairs import lora_pairs
from flextune.spectral.penalty import Penalty
from flextune.training import SophiaMixin, SpectralCallback, SpectralLossMixin
from flextune.training.batches.padded import Collator
from flextune.training.callbacks.sophia import _seed

pytestmark = pytest.mark.slow

ESTIMATORS: dict[Any, type[Estimator]] = {"gnb": GaussNewtonBartlett, "hutchinson": Hutchinson}
OPTIONS: dict[str, Any] = {"gamma": 0.5, "every": 3}
STEPS: dict[str, Any] = {
    "learning_rate": 1e-2,
    "lr_scheduler_type": "linear",
    "max_steps": 5,
    "weight_decay": 0.1,
}


class WithPenalty(SophiaMixin, SpectralLossMixin, InOrder):
    pass


def trained(loaded: LoadedModel, folder: Path, kind: Any = "gnb", **changes: Any) -> Any:
    extra = {"sophia": OPTIONS, "estimator": kind, **changes.pop("extra", {})}
    return train(changes.pop("host", SophiaTrainer), loaded, folder, extra=extra, **{**STEPS, **changes})


def by_hand(
    loaded: LoadedModel, kind: Any = "gnb", parts: int = 1, clip: float = 1e9, strength: float = 0.0
) -> list[Tensor]:
    """The documented loop: five steps on the whole batch, with a linear schedule."""
    model = model_with_adapter(loaded).train()
    optimizer = Sophia(factor_groups(model), lr=1e-2, weight_decay=0.1, **OPTIONS)
    estimator = ESTIMATORS[kind](optimizer.param_groups)
    batches = micro_batches(parts)
    tokens = sum(int(batch["labels"][:, 1:].ne(-100).sum()) for batch in batches)
    for step in range(5):
        if optimizer.estimate_due:
            estimator.reseed(_seed(42, step, 0))
            for batch in batches:
                estimator.accumulate(model, batch)
            optimizer.update_hessian(estimator.finish())
        for batch in batches:
            counted = int(batch["labels"][:, 1:].ne(-100).sum())
            (model(**batch).loss * (counted / tokens)).backward()
        if strength:
            (strength * Penalty().value(lora_pairs(model))).backward()
        torch.nn.utils.clip_grad_norm_(matrices(model), clip)
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - step / 5)
        optimizer.step()
        optimizer.zero_grad()
    return matrices(model)


def assert_same(found: Any, expected: list[Tensor], rtol: float = 1e-7) -> None:
    for weight, wanted in zip(matrices(found.model), expected, strict=True):
        torch.testing.assert_close(weight, wanted, rtol=rtol, atol=1e-3 * rtol)


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("kind", list(ESTIMATORS))
def test_weights_are_those_of_the_loop_by_hand(
    loaded: LoadedModel, tmp_path: Path, kind: str, parts: int
) -> None:
    sizes = {"per_device_train_batch_size": 8 // parts, "gradient_accumulation_steps": parts}
    found = trained(loaded, tmp_path, kind, **sizes)
    assert_same(found, by_hand(loaded, kind, parts))
    if parts == 1:
        other = by_hand(loaded, "gnb" if kind == "hutchinson" else "hutchinson")
        assert any((a - b).abs().max() > 1e-4 for a, b in zip(matrices(found.model), other, strict=True))


def test_clipping_reaches_the_step_and_not_the_estimate(loaded: LoadedModel, tmp_path: Path) -> None:
    found = trained(loaded, tmp_path, max_grad_norm=0.05)
    assert_same(found, by_hand(loaded, clip=0.05))
    free = by_hand(loaded)
    assert any((a - b).abs().max() > 1e-5 for a, b in zip(matrices(found.model), free, strict=True))


def test_logged_losses_are_those_of_a_training_without_estimates(loaded: LoadedModel, tmp_path: Path) -> None:
    """At rate 0 nothing moves: whatever the estimates added would be the only difference."""
    still = {"learning_rate": 0.0, "weight_decay": 0.0}
    plain = train(InOrder, loaded, tmp_path / "plain", **{**STEPS, **still})
    found = trained(loaded, tmp_path, **still)
    for one, other in zip(plain.state.log_history[:-1], found.state.log_history[:-1], strict=True):
        assert other["loss"] == one["loss"]
        assert other["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-12)


@pytest.mark.parametrize("way", ["gradient", "loss"])
def test_penalty_keeps_its_gradient_beside_an_estimate(loaded: LoadedModel, tmp_path: Path, way: str) -> None:
    """A callback has put it into ``.grad`` by the time of the estimate, which is the task's alone."""
    if way == "gradient":
        found = trained(loaded, tmp_path, extra={"callbacks": [SpectralCallback(strength=0.3)]})
    else:
        found = trained(loaded, tmp_path, host=WithPenalty, extra={"penalty": "default", "strength": 0.3})
    assert_same(found, by_hand(loaded, strength=0.3))


def test_lines_tell_win_rates_norm_and_share(loaded: LoadedModel, tmp_path: Path) -> None:
    found = trained(loaded, tmp_path)
    optimizer = found.optimizer.optimizer
    assert [group["name"] for group in optimizer.param_groups] == ["A", "B"]
    *lines, _ = found.state.log_history
    for name, group in zip(("win_rate_a", "win_rate_b"), optimizer.param_groups, strict=True):
        assert lines[-1][name] == optimizer.win_rate(group["params"])
        assert 0 < lines[-1][name] <= 1
    assert lines[-1]["hessian_norm"] == optimizer.hessian_norm()
    # Estimates before steps 1, 2 and 4; the others spend nothing.
    assert [line["estimate_share"] > 0 for line in lines] == [True, True, False, True, False]
    assert all(0 <= line["estimate_share"] < 1 for line in lines)


def test_constant_curvature_makes_no_estimate(loaded: LoadedModel, tmp_path: Path) -> None:
    found = trained(loaded, tmp_path, extra={"sophia": {"curvature": 1e-4, "gamma": 0.01}})
    line = found.state.log_history[-2]
    assert {"win_rate_a", "win_rate_b"} <= set(line)
    assert not {"hessian_norm", "estimate_share"} & set(line)


def test_ready_made_sophia_is_used_and_fed(loaded: LoadedModel, tmp_path: Path) -> None:
    class Ready(SophiaTrainer):
        def __init__(self, **kwargs: Any) -> None:
            ready = Sophia(factor_groups(kwargs["model"]), lr=1e-2, weight_decay=0.1, **OPTIONS)
            schedule = torch.optim.lr_scheduler.LambdaLR(ready, lambda step: 1 - step / 5)
            super().__init__(sophia=None, optimizers=(ready, schedule), **kwargs)

    assert_same(train(Ready, loaded, tmp_path, **STEPS), by_hand(loaded))


class Scaled(LossScaling, SophiaTrainer):
    pass


class Overflowing(Scaled):
    overflow_at = 0


@pytest.fixture
def float16(monkeypatch: pytest.MonkeyPatch) -> None:
    """What accelerate asks before it unscales; it refuses float16 on a CPU otherwise."""
    monkeypatch.setattr(Accelerator, "mixed_precision", property(lambda self: "fp16"))


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize("kind", list(ESTIMATORS))
def test_loss_scaling_changes_nothing(loaded: LoadedModel, tmp_path: Path, kind: Any) -> None:
    found = trained(loaded, tmp_path, kind, host=Scaled, max_grad_norm=0.2)
    # The loss leaves accelerate's wrapper in float32.
    assert_same(found, by_hand(loaded, kind, clip=0.2), rtol=1e-4)


@pytest.mark.usefixtures("float16")
def test_estimates_get_the_loss_scale_and_a_model_in_training_mode(
    loaded: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the step after an evaluation."""
    given: list[tuple[float, bool]] = []
    original = GaussNewtonBartlett.accumulate

    def accumulate(self: Any, model: Any, batch: Any, *, scale: float = 1.0) -> None:
        given.append((scale, model.training))
        original(self, model, batch, scale=scale)

    monkeypatch.setattr(GaussNewtonBartlett, "accumulate", accumulate)
    trained(loaded, tmp_path, host=Scaled, eval_strategy="steps", eval_steps=1, eval_on_start=True)
    assert given == [(1024.0, True)] * 3


@pytest.mark.usefixtures("float16")
def test_skipped_step_keeps_its_estimate_for_the_next(loaded: LoadedModel, tmp_path: Path) -> None:
    found = trained(loaded, tmp_path, host=Overflowing)
    assert found.accelerator.scaler.get_scale() == 512.0
    assert found.optimizer.optimizer.param_groups[0]["steps"] == 4
    # Due before steps 1, 2 and 4; the skipped step is none, and the second begins with the first's estimate.
    spent = [line["estimate_share"] > 0 for line in found.state.log_history[:-1]]
    assert spent == [True, False, True, False, True]


class MaskedFirst(SophiaTrainer):
    """Batches of the first step without a counted token."""

    def get_batch_samples(self, *args: Any) -> Any:
        batches, items = super().get_batch_samples(*args)
        if self.state.global_step == 0:
            for batch in batches:
                batch["labels"][:] = -100
        return batches, items


def test_masked_batch_gives_one_warning_and_the_next_step_the_estimate(
    loaded: LoadedModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "flextune"):
        found = trained(loaded, tmp_path, host=MaskedFirst)
    assert [record.message for record in caplog.records if "masked" in record.message] == [
        "every label of the batch is masked (-100): no curvature estimate was made from it"
    ]
    assert found.optimizer.optimizer.param_groups[0]["estimated"] > 0
    assert all(torch.isfinite(matrix).all() for matrix in matrices(found.model))


class Kill(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", list(ESTIMATORS))
@pytest.mark.slow
def test_killed_and_resumed_training_ends_with_the_same_bits(
    loaded: LoadedModel, tmp_path: Path, kind: Any
) -> None:
    """With dropout, whose draws the estimates share with the training."""

    def prepared(folder: Path, *callbacks: TrainerCallback) -> Trainer:
        model = model_with_adapter(loaded)
        for module in model.modules():
            if hasattr(module, "lora_dropout"):
                module.lora_dropout["default"] = torch.nn.Dropout(0.2)
        saving = {"save_strategy": "steps", "save_steps": 2, "per_device_train_batch_size": 2}
        options = {**STEPS, **saving, "gradient_accumulation_steps": 2, "max_steps": 9}
        return SophiaTrainer(
            model=model,
            args=arguments(folder, **options),
            train_dataset=rows(),
            data_collator=Collator(1),
            callbacks=list(callbacks),
            sophia=OPTIONS,
            estimator=kind,
        )

    whole = prepared(tmp_path / "whole")
    whole.train()
    with pytest.raises(KeyboardInterrupt):
        prepared(tmp_path / "killed", Kill(5)).train()
    torch.manual_seed(99)
    resumed = prepared(tmp_path / "killed")
    resumed.train(resume_from_checkpoint=True)
    assert resumed.state.global_step == 9
    for one, other in zip(matrices(whole.model), matrices(resumed.model), strict=True):
        assert torch.equal(one, other)


def test_draws_differ_between_seeds_steps_and_processes() -> None:
    seeds = {_seed(seed, step, rank) for seed in range(5) for step in range(20) for rank in range(4)}
    assert len(seeds) == 400


def made(loaded: LoadedModel, folder: Path, **extra: Any) -> SophiaTrainer:
    return SophiaTrainer(
        model=model_with_adapter(loaded),
        args=arguments(folder),
        train_dataset=rows(),
        data_collator=Collator(1),
        **extra,
    )


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"sophia": {"gamma": 0}}, "optimizer: gamma: 0, but it must be greater than 0"),
        ({"sophia": {"every": 0}}, "optimizer: every: 0, but it is a number of steps, 1 or more"),
        ({"sophia": {"gama": 1}}, "optimizer: got an unexpected keyword argument 'gama'"),
        ({"sophia": {"lr": 1}}, "optimizer: .*multiple values for keyword argument 'lr'"),
        ({"estimator": "fisher"}, "optimizer: estimator 'fisher', but it is gnb or hutchinson"),
        ({"sophia": {"estimator": "fisher"}}, "optimizer: estimator 'fisher', but it is gnb or hutchinson"),
        (
            {"sophia": {"estimator": "gnb"}, "estimator": "hutchinson"},
            "optimizer: estimator is given twice, 'hutchinson' and 'gnb' in sophia",
        ),
    ],
)
def test_bad_options_are_refused_when_the_trainer_is_made(
    loaded: LoadedModel, tmp_path: Path, extra: dict[str, Any], message: str
) -> None:
    with pytest.raises(FlextuneError, match=message):
        made(loaded, tmp_path, **extra)


def test_estimator_may_stand_among_sophias_options(loaded: LoadedModel, tmp_path: Path) -> None:
    options = {"sophia": {**OPTIONS, "estimator": "hutchinson"}, "estimator": None}
    assert_same(trained(loaded, tmp_path, extra=options), by_hand(loaded, "hutchinson"))


def test_another_ready_made_optimizer_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    class Ready(SophiaTrainer):
        def __init__(self, **kwargs: Any) -> None:
            ready = torch.optim.SGD(kwargs["model"].parameters(), lr=1.0)
            super().__init__(optimizers=(ready, None), **kwargs)

    with pytest.raises(FlextuneError, match="SophiaMixin has SGD to work with"):
        train(Ready, loaded, tmp_path)


def test_deepspeed_fsdp_1_and_tensor_parallelism_are_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    trainer = made(loaded, tmp_path)
    trainer.accelerator = SimpleNamespace(
        is_fsdp2=False, parallelism_config=SimpleNamespace(non_data_parallel_size=2)
    )
    with pytest.raises(FlextuneError, match="data parallelism alone"):
        trainer.create_optimizer()
    trainer.is_fsdp_enabled = True
    with pytest.raises(FlextuneError, match="needs FSDP 2"):
        trainer.create_optimizer()
    trainer.is_deepspeed_enabled = True
    with pytest.raises(FlextuneError, match=r"DeepSpeed.*use DDP or FSDP2"):
        trainer.create_optimizer()


def test_attention_without_second_derivative_is_refused_by_name(loaded: LoadedModel, tmp_path: Path) -> None:
    trainer = made(loaded, tmp_path, estimator="hutchinson")
    trainer.model.config._attn_implementation = "flash_attention_2"
    try:
        with pytest.raises(FlextuneError, match=r"optimizer: .*which flash_attention_2 attention has not"):
            trainer.train()
        assert trainer._step_batches == []
    finally:
        trainer.model.config._attn_implementation = "sdpa"
