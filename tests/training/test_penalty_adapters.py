"""The penalty in a Trainer on other adapters: refused by name, or of what training changes."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from tests.support.trainings import arguments, logged, rows
from transformers import Trainer, TrainerCallback

from flextune.errors import FlextuneError
from flextune.models.load import LoadedModel
from flextune.spectral.form import PenaltyForm
from flextune.training import SpectralCallback, SpectralLossMixin
from flextune.training.batches.padded import Collator
from flextune.training.callbacks.logbook import Logbook

pytestmark = pytest.mark.slow

PISSA = peft.LoraConfig(r=2, target_modules=["q_proj", "up_proj"], init_lora_weights="pissa")


class LossTrainer(SpectralLossMixin, Trainer):
    pass


class SaveAt(TrainerCallback):
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save = state.global_step == 2


def adapted(loaded: LoadedModel, config: Any) -> Any:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peft.get_peft_model(copy.deepcopy(loaded.model).float(), config)


def trainer(
    model: Any,
    folder: Path,
    way: str,
    *,
    form: PenaltyForm = PenaltyForm(kind="update"),  # noqa: B008 - it cannot change
    late: bool = False,
    **changes: Any,
) -> Any:
    folder.mkdir(exist_ok=True)
    callbacks: list[Any] = [SaveAt()]
    if not late and way != "loss":
        callbacks.insert(0, SpectralCallback(form, strength=0.3, apply=way))  # type: ignore[arg-type]
    kind = LossTrainer if way == "loss" else Trainer
    extra: dict[str, Any] = {"penalty": form, "strength": 0.3} if way == "loss" else {}
    made = kind(
        model=model,
        args=arguments(folder, max_steps=4, learning_rate=1e-2, **changes),
        train_dataset=rows(),
        data_collator=Collator(1),
        callbacks=callbacks,
        **extra,
    )
    if late:
        made.add_callback(SpectralCallback(form, strength=0.3, apply=way))  # type: ignore[arg-type]
    made.add_callback(Logbook(folder / "training.jsonl"))
    return made


@pytest.mark.parametrize("way", ["gradient", "loss", "proximal"])
@pytest.mark.parametrize(("method", "name"), [("AdaLoraConfig", "ADALORA"), ("LoHaConfig", "LOHA")])
def test_another_method_is_refused_when_training_begins(
    loaded: LoadedModel, tmp_path: Path, way: str, method: str, name: str
) -> None:
    options = {"total_step": 10} if name == "ADALORA" else {}
    model = adapted(loaded, getattr(peft, method)(target_modules=["q_proj", "up_proj"], **options))
    with pytest.raises(FlextuneError, match=f"penalty: adapter 'default': {name}; ") as caught:
        trainer(model, tmp_path, way).train()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("way", ["gradient", "loss", "proximal"])
@pytest.mark.parametrize(
    ("config", "form"),
    [
        (PISSA, PenaltyForm(kind="update")),
        (peft.LoraConfig(r=2, target_modules=["q_proj", "up_proj"]), PenaltyForm(of="change")),
    ],
    ids=["pissa", "of the change"],
)
def test_a_start_has_no_penalty_and_a_resumed_training_the_same_as_a_whole_one(
    loaded: LoadedModel, tmp_path: Path, way: str, config: Any, form: PenaltyForm
) -> None:
    whole = trainer(adapted(loaded, config), tmp_path / "whole", way, form=form)
    whole.train()
    penalties = [line["penalty"] for line in logged(tmp_path / "whole") if "loss" in line]
    # The proximal penalty is logged after the step, the others before it.
    assert way == "proximal" or penalties[0] == 0
    assert penalties[-1] > 0
    again = trainer(adapted(loaded, config), tmp_path / "again", way, form=form)
    again.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-2"))
    resumed = [line["penalty"] for line in logged(tmp_path / "again") if "loss" in line]
    assert resumed[-1] == pytest.approx(penalties[-1], rel=1e-3)


def test_a_callback_that_comes_late_refuses_to_guess_the_start_after_a_resume(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    trainer(adapted(loaded, PISSA), tmp_path / "whole", "gradient").train()
    late = trainer(adapted(loaded, PISSA), tmp_path / "late", "gradient", late=True)
    with pytest.raises(FlextuneError, match="counts from its start, which is not known after a resume"):
        late.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-2"))
