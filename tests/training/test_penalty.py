"""The penalty in a plain transformers Trainer, against steps computed by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from tests.support.trainings import LossScaling, batch, matrices, model_with_adapter, rows, train
from transformers import Trainer, TrainerCallback

from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.spectral.form import PenaltyForm
from flextune.spectral.pairs import lora_pairs
from flextune.spectral.penalty import Penalty
from flextune.training import SpectralCallback, SpectralLossMixin

pytestmark = pytest.mark.slow

STRENGTH, RATE = 0.3, 0.05
SGD: dict[str, Any] = {"optim": "sgd", "lr_scheduler_type": "linear", "learning_rate": RATE, "max_steps": 3}


class LossTrainer(SpectralLossMixin, Trainer):
    pass


class MeanLossTrainer(LossTrainer):
    """Means per micro-batch, which the Trainer divides by their number."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = False


def trained(loaded: LoadedModel, folder: Path, way: str, form: Any = "default", **changes: Any) -> Any:
    if way == "loss":
        return train(LossTrainer, loaded, folder, extra={"penalty": form, "strength": STRENGTH}, **changes)
    callback = SpectralCallback(form, strength=STRENGTH, apply=way)  # type: ignore[arg-type]
    return train(Trainer, loaded, folder, extra={"callbacks": [callback]}, **changes)


def by_hand(
    loaded: LoadedModel, way: str, form: PenaltyForm | None = None, clip: float = 1e9, steps: int = 3
) -> list[torch.Tensor]:
    """Plain gradient descent on the whole batch, with a linear schedule."""
    model, penalty = model_with_adapter(loaded), Penalty(form)
    weights, pairs = matrices(model), lora_pairs(model)
    for step in range(steps):
        rate = RATE * (1 - step / steps)
        loss = model(**batch()).loss
        if way != "proximal":
            loss = loss + STRENGTH * penalty.value(pairs)
        gradients = torch.autograd.grad(loss, weights)
        norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        factor = torch.clamp(clip / norm, max=1)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= rate * factor * gradient
        if way == "proximal":
            penalty.proximal_(pairs, rate * STRENGTH)
    return weights


def assert_same(found: Any, expected: list[torch.Tensor], rtol: float = 1e-6) -> None:
    for weight, wanted in zip(matrices(found.model), expected, strict=True):
        torch.testing.assert_close(weight, wanted, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("accumulation", [1, 4])
@pytest.mark.parametrize("way", ["gradient", "loss", "proximal"])
def test_weights_are_those_of_descent_by_hand(
    loaded: LoadedModel, tmp_path: Path, way: str, accumulation: int
) -> None:
    sizes: dict[str, Any] = {
        "per_device_train_batch_size": 8 // accumulation,
        "gradient_accumulation_steps": accumulation,
    }
    found = trained(loaded, tmp_path, way, **SGD, **sizes)
    assert_same(found, by_hand(loaded, way))
    plain = train(Trainer, loaded, tmp_path / "plain", **SGD, **sizes)
    assert any(
        (a - b).abs().max() > 1e-4 for a, b in zip(matrices(plain.model), by_hand(loaded, way), strict=True)
    )


@pytest.mark.parametrize("way", ["gradient", "loss", "proximal"])
def test_clipping_covers_the_penalty_but_for_the_proximal_step(
    loaded: LoadedModel, tmp_path: Path, way: str
) -> None:
    found = trained(loaded, tmp_path, way, **SGD, max_grad_norm=0.2)
    assert_same(found, by_hand(loaded, way, clip=0.2), rtol=1e-5)


def test_every_form_and_a_preset_can_be_handed_in(loaded: LoadedModel, tmp_path: Path) -> None:
    form = PenaltyForm(kind="update", reduction="mean")
    for number, which in enumerate((form, Penalty(form))):
        found = trained(loaded, tmp_path / str(number), "gradient", which, **SGD)
        assert_same(found, by_hand(loaded, "gradient", form))
    found = trained(loaded, tmp_path / "preset", "loss", "paper-literal", **SGD)
    assert_same(found, by_hand(loaded, "loss", PenaltyForm(norm="backward")))


@pytest.mark.parametrize("trainer_class", [LossTrainer, MeanLossTrainer])
def test_loss_enters_once_however_the_trainer_normalises(
    loaded: LoadedModel, tmp_path: Path, trainer_class: type[Trainer]
) -> None:
    """A step with the term and one without differ by the rate times its gradient."""

    def trained(strength: float, accumulation: int) -> list[torch.Tensor]:
        sizes: dict[str, Any] = {
            "per_device_train_batch_size": 8 // accumulation,
            "gradient_accumulation_steps": accumulation,
        }
        extra = {"penalty": "default", "strength": strength}
        folder = tmp_path / f"{strength}-{accumulation}"
        found = train(trainer_class, loaded, folder, extra=extra, **{**SGD, "max_steps": 1}, **sizes)
        return matrices(found.model)

    start = model_with_adapter(loaded)
    _, gradients = Penalty().value_and_gradients(lora_pairs(start))
    for accumulation in (1, 4):
        moved, plain = trained(STRENGTH, accumulation), trained(0.0, accumulation)
        for one, other, gradient in zip(moved, plain, gradients, strict=True):
            torch.testing.assert_close(other - one, RATE * STRENGTH * gradient, rtol=1e-6, atol=1e-10)


def test_evaluation_loss_is_free_of_the_term(loaded: LoadedModel, tmp_path: Path) -> None:
    found = train(LossTrainer, loaded, tmp_path, extra={"penalty": "default", "strength": 100.0}, **SGD)
    with torch.no_grad():
        expected = found.model.eval()(**batch()).loss.item()
    assert found.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-6)


class Scaled(LossScaling, Trainer):
    pass


class ScaledLoss(SpectralLossMixin, Scaled):
    pass


class Overflowing(Scaled):
    overflow_at = 1


class OverflowingLoss(SpectralLossMixin, Overflowing):
    pass


class GradientsBeforeTheStep(TrainerCallback):
    def __init__(self) -> None:
        self.norms: list[float] = []

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any
    ) -> None:
        gradients = [matrix.grad.flatten() for matrix in matrices(model) if matrix.grad is not None]
        self.norms.append(torch.cat(gradients).norm().item())


@pytest.fixture
def float16(monkeypatch: pytest.MonkeyPatch) -> None:
    """What accelerate asks before it unscales; it refuses float16 on a CPU otherwise."""
    monkeypatch.setattr(Accelerator, "mixed_precision", property(lambda self: "fp16"))


def scaled(loaded: LoadedModel, folder: Path, way: str, *, overflow: bool = False, **changes: Any) -> Any:
    if way == "loss":
        chosen: Any = OverflowingLoss if overflow else ScaledLoss
        return train(chosen, loaded, folder, extra={"penalty": "default", "strength": STRENGTH}, **changes)
    callbacks = [SpectralCallback(strength=STRENGTH, apply=way)]  # type: ignore[arg-type]
    chosen = Overflowing if overflow else Scaled
    return train(chosen, loaded, folder, extra={"callbacks": callbacks}, **changes)


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize("clip", [0.0, 0.2])
@pytest.mark.parametrize("way", ["gradient", "loss", "proximal"])
def test_loss_scaling_changes_nothing(loaded: LoadedModel, tmp_path: Path, way: str, clip: float) -> None:
    found = scaled(loaded, tmp_path, way, **SGD, max_grad_norm=clip)
    assert_same(found, by_hand(loaded, way, clip=clip or 1e9), rtol=1e-5)


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize("way", ["gradient", "loss", "proximal"])
def test_skipped_step_skips_the_penalty(loaded: LoadedModel, tmp_path: Path, way: str) -> None:
    """The schedule waits for a skipped step: two steps of three, at the rates of the first two."""
    found = scaled(loaded, tmp_path, way, overflow=True, **SGD)
    assert found.state.global_step == 3
    assert found.accelerator.scaler.get_scale() == 512.0
    expected = model_with_adapter(loaded)
    weights, pairs, penalty = matrices(expected), lora_pairs(expected), Penalty()
    for rate in (RATE, RATE * 2 / 3):
        loss = expected(**batch()).loss
        loss = loss if way == "proximal" else loss + STRENGTH * penalty.value(pairs)
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= rate * gradient
        if way == "proximal":
            penalty.proximal_(pairs, rate * STRENGTH)
    assert_same(found, weights, rtol=1e-5)


@pytest.mark.usefixtures("float16")
@pytest.mark.parametrize("clip", [0.0, 1e9])
def test_gradients_are_unscaled_before_the_optimizers_step(
    loaded: LoadedModel, tmp_path: Path, clip: float
) -> None:
    seen = GradientsBeforeTheStep()
    found = train(Scaled, loaded, tmp_path, extra={"callbacks": [seen]}, **SGD, max_grad_norm=clip)
    logged = [line["grad_norm"] for line in found.state.log_history if "grad_norm" in line]
    assert seen.norms == pytest.approx(logged, rel=1e-6)


def test_callback_can_train_again(loaded: LoadedModel, tmp_path: Path) -> None:
    callback = SpectralCallback(strength=STRENGTH)
    for name in ("first", "second"):
        found = train(Trainer, loaded, tmp_path / name, extra={"callbacks": [callback]}, **SGD)
        assert_same(found, by_hand(loaded, "gradient"))


def test_epoch_that_ends_within_a_step_adds_the_penalty_once(loaded: LoadedModel) -> None:
    model = model_with_adapter(loaded)
    callback = SpectralCallback(strength=STRENGTH)
    callback.on_train_begin(SimpleNamespace(), None, None, model=model)
    for _ in range(2):
        callback.on_step_begin(None, None, None, optimizer=SimpleNamespace())
    _, gradients = Penalty().value_and_gradients(lora_pairs(model))
    for matrix, gradient in zip(matrices(model), gradients, strict=True):
        torch.testing.assert_close(matrix.grad, STRENGTH * gradient)


def test_proximal_needs_one_learning_rate(loaded: LoadedModel, tmp_path: Path) -> None:
    class TwoRates(Trainer):
        def create_optimizer(self, model: Any = None) -> Any:
            a, b = matrices(self.model)[::2], matrices(self.model)[1::2]
            self.optimizer = torch.optim.SGD([{"params": a, "lr": 0.1}, {"params": b, "lr": 1.6}])
            return self.optimizer

    extra = {"callbacks": [SpectralCallback(strength=1.0, apply="proximal")]}
    with pytest.raises(FlextuneError, match=r"needs one learning rate .*found: 0\.1, 1\.6"):
        train(TwoRates, loaded, tmp_path, extra=extra)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpectralCallback(strength=1.0, apply="loss"), "loss takes SpectralLossMixin"),  # type: ignore[arg-type]
        (lambda: SpectralCallback("paper", strength=1.0), "preset 'paper': unknown"),
        (lambda: SpectralCallback(strength=-1.0), "strength -1.0: must be a finite number"),
        (lambda: SpectralCallback(strength=float("nan")), "strength nan"),
    ],
)
def test_wrong_options_are_refused_at_once(make: Any, message: str) -> None:
    with pytest.raises(FlextuneError, match=message):
        make()


def test_deepspeed_is_refused_with_what_to_use_instead(loaded: LoadedModel) -> None:
    arguments = SimpleNamespace(deepspeed_plugin=object())
    with pytest.raises(FlextuneError, match=r"use FSDP2, or apply: loss"):
        SpectralCallback(strength=1.0).on_train_begin(arguments, None, None, model=loaded.model)


def test_penalty_that_a_matrix_does_not_fit_is_named_before_the_first_step(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    class Broken(Trainer):
        def create_optimizer(self, model: Any = None) -> Any:
            matrices(self.model)[0].data[0, 0] = float("nan")
            return super().create_optimizer(model)

    with pytest.raises(FlextuneError, match=r"penalty: model\.layers\.0\..* \(lora_A\): holds NaN"):
        train(Broken, loaded, tmp_path, extra={"callbacks": [SpectralCallback(strength=1.0)]}, data=rows())


class Reporter(TrainerCallback):
    """Keeps what W&B or TensorBoard would send."""

    def __init__(self) -> None:
        self.lines: list[dict[str, float]] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        self.lines.append(dict(logs))


class Behind(Reporter):
    pass


class Extended(SpectralCallback):
    """One that adds to what the callback does when training begins."""

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        super().on_train_begin(*args, **kwargs)


def assert_all_see_the_penalty(found: Any, *reporters: Reporter) -> None:
    history = [line["penalty"] for line in found.state.log_history if "loss" in line]
    assert len(history) == 3
    assert min(history) > 0
    for reporter in reporters:
        assert [line["penalty"] for line in reporter.lines if "loss" in line] == history


@pytest.mark.parametrize("kind", [SpectralCallback, Extended])
@pytest.mark.parametrize("way", ["gradient", "proximal"])
def test_reporters_on_both_sides_of_the_callback_see_the_penalty(
    loaded: LoadedModel, tmp_path: Path, way: Any, kind: Any
) -> None:
    ahead, behind = Reporter(), Behind()
    callbacks = [ahead, kind(strength=STRENGTH, apply=way), behind]
    found = train(Trainer, loaded, tmp_path, extra={"callbacks": callbacks}, **SGD)
    assert_all_see_the_penalty(found, ahead, behind)
    rest = [callback for callback in found.callback_handler.callbacks if callback is not callbacks[1]]
    assert [type(callback) for callback in rest][-2:] == [Reporter, Behind]


def test_reporters_see_the_mixins_penalty(loaded: LoadedModel, tmp_path: Path) -> None:
    reporter = Reporter()
    extra = {"callbacks": [reporter], "strength": STRENGTH}
    assert_all_see_the_penalty(train(LossTrainer, loaded, tmp_path, extra=extra, **SGD), reporter)


def test_every_callback_is_called_once_where_the_penalty_moves_to_the_front(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    """Moving happens while the list is being called."""
    called: list[str] = []

    class First(TrainerCallback):
        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            called.append(type(self).__name__)

    class Last(First):
        pass

    callbacks = [First(), SpectralCallback(strength=STRENGTH), Last()]
    train(Trainer, loaded, tmp_path, extra={"callbacks": callbacks}, **SGD)
    assert called == ["First", "Last"]


def test_a_strength_alone_means_the_default_penalty(loaded: LoadedModel, tmp_path: Path) -> None:
    found = train(LossTrainer, loaded, tmp_path, extra={"strength": STRENGTH}, **SGD)
    assert_same(found, by_hand(loaded, "loss"))


def test_strength_0_and_no_penalty_at_all_do_nothing(loaded: LoadedModel, tmp_path: Path) -> None:
    plain = matrices(train(Trainer, loaded, tmp_path / "plain", **SGD).model)
    options: list[dict[str, Any]] = [{}, {"strength": 0.0}, {"strength": 0.0, "penalty": "default"}]
    for number, extra in enumerate(options):
        found = train(LossTrainer, loaded, tmp_path / str(number), extra=extra, **SGD)
        assert all(torch.equal(a, b) for a, b in zip(matrices(found.model), plain, strict=True))


@pytest.mark.parametrize("penalty", ["default", PenaltyForm(kind="l2")])
def test_a_penalty_without_strength_is_refused_at_once(
    loaded: LoadedModel, tmp_path: Path, penalty: Any
) -> None:
    with pytest.raises(FlextuneError, match=r"needs a strength beside it, such as strength=0\.02"):
        train(LossTrainer, loaded, tmp_path, extra={"penalty": penalty})
