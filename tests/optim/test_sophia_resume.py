"""Saving, loading, copying: a run that goes on is the run that never stopped."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from tests.optim.toys import batch, lora, mean_loss, predict

from flextune.optim import GaussNewtonBartlett, Hutchinson, Sophia, factor_groups

ESTIMATORS = {"bartlett": GaussNewtonBartlett, "hutchinson": Hutchinson}


class Run:
    """A small training that can be stopped after any step."""

    def __init__(self, estimator: str, **options: Any) -> None:
        self.model = lora()
        self.optimizer = Sophia(factor_groups(self.model), lr=0.02, every=4, **options)
        self.estimator = ESTIMATORS[estimator](self.optimizer.param_groups, seed=5, predict=predict)

    def train(self, start: int, stop: int) -> None:
        for step in range(start, stop):
            rows = batch(16, masked=step % 3, seed=step, inputs=12, classes=8)
            if self.optimizer.estimate_due:
                self.estimator.accumulate(self.model, rows)
                self.optimizer.update_hessian(self.estimator.finish())
            mean_loss(self.model, [rows]).backward()
            self.optimizer.step()
            self.optimizer.zero_grad()

    def saved(self) -> dict[str, Any]:
        """Through torch.save, as trainers do, and read back without pickled code."""
        file = io.BytesIO()
        torch.save({name: getattr(self, name).state_dict() for name in self.parts}, file)
        file.seek(0)
        return torch.load(file, weights_only=True)

    def load(self, saved: dict[str, Any]) -> None:
        for name in self.parts:
            getattr(self, name).load_state_dict(saved[name])

    parts = ("model", "optimizer", "estimator")


def weights(run: Run) -> list[torch.Tensor]:
    return [parameter.detach() for parameter in run.model.parameters()]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("stop", [1, 2, 6])
def test_a_resumed_run_ends_with_the_same_bits(estimator: str, stop: int) -> None:
    whole, first, second = Run(estimator), Run(estimator), Run(estimator)
    whole.train(0, 13)
    first.train(0, stop)
    second.load(first.saved())
    second.train(stop, 13)
    assert all(torch.equal(one, other) for one, other in zip(weights(whole), weights(second), strict=True))
    assert second.optimizer.win_rate() == whole.optimizer.win_rate()


def test_a_generator_that_is_not_restored_draws_other_labels() -> None:
    whole, first, second = Run("bartlett"), Run("bartlett"), Run("bartlett")
    whole.train(0, 13)
    first.train(0, 6)
    saved = first.saved()
    saved["estimator"] = {}
    second.load(saved)
    second.train(6, 13)
    assert not all(
        torch.equal(one, other) for one, other in zip(weights(whole), weights(second), strict=True)
    )


def test_loading_for_half_precision_parameters_keeps_float32_averages_bit_for_bit() -> None:
    run = Run("bartlett")
    run.train(0, 6)
    half = copy.deepcopy(run.model).to(torch.bfloat16)
    other = Sophia(factor_groups(half), lr=0.02, every=4)
    seen: list[int] = []
    other.register_load_state_dict_pre_hook(lambda _, state: seen.append(len(state["state"])))
    other.load_state_dict(run.optimizer.state_dict())
    assert seen == [2]
    pairs = zip(factor_groups(run.model), factor_groups(half), strict=True)
    for one, two in ((a["params"][0], b["params"][0]) for a, b in pairs):
        for key in ("momentum", "hessian"):
            assert other.state[two][key].dtype == torch.float32
            assert torch.equal(other.state[two][key], run.optimizer.state[one][key])
            assert other.state[two][key].data_ptr() != run.optimizer.state[one][key].data_ptr()


def test_a_copy_of_the_optimizer_keeps_its_options_and_counts() -> None:
    run = Run("bartlett", early_estimates=False)
    run.train(0, 4)
    twin = copy.deepcopy(run.optimizer)
    assert twin.estimate_due is run.optimizer.estimate_due is True
    run.train(4, 5)
    assert not run.optimizer.estimate_due
    assert twin.estimate_due


def test_a_group_that_joins_later_follows_the_counts_of_the_others() -> None:
    run = Run("bartlett")
    run.train(0, 6)
    late = torch.nn.Parameter(torch.ones(3))
    run.optimizer.add_param_group({"params": [late], "gamma": 0.5})
    first, joined = run.optimizer.param_groups[0], run.optimizer.param_groups[-1]
    assert all(joined[key] == first[key] for key in ("every", "steps", "estimated"))
    late.grad = torch.ones(3)
    run.optimizer.step()
    assert torch.equal(late.detach(), torch.ones(3)), "it waits for its first estimate"
