"""Two processes over gloo, plain, in DDP and in FSDP2 (whose parameters are DTensors), against one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.distributed as dist
from tests.optim.toys import Batch, Lora, batch, lora, mean_loss, predict
from tests.support.processes import Together, needs_gloo, run_in_two_processes
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from flextune.optim import Estimator, GaussNewtonBartlett, Hutchinson, Sophia, factor_groups
from flextune.optim.groups import Reduce

MASKED = {0: 2, 1: 11}
ROWS = 16


def started() -> Lora:
    """Three ranks and seven inputs, which two processes cannot halve; B has left its zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Lora(inputs=7, classes=5, rank=3)
        nn.init.normal_(model.lora_B.weight)
    return model


def part(rank: int, masked: int | None = None) -> Batch:
    """One process's batch; the two count different numbers of tokens."""
    masked = MASKED[rank] if masked is None else masked
    return batch(ROWS, masked=masked, seed=rank, inputs=7, classes=5)


def sharded(model: nn.Module) -> nn.Module:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
    return model


def whole(tensors: Any) -> list[Tensor]:
    return [each.full_tensor() if hasattr(each, "full_tensor") else each for each in tensors]


def drawn_score(model: Lora, rows: Batch, seed: int) -> list[Tensor]:
    """Sum over tokens of the gradient on labels that ``seed`` draws."""
    logits, _ = predict(model, rows)
    labels = torch.multinomial(
        logits.detach().softmax(-1), 1, generator=torch.Generator().manual_seed(seed)
    ).squeeze(1)
    loss = cross_entropy(logits, labels, reduction="sum")
    return list(torch.autograd.grad(loss, [model.lora_A.weight, model.lora_B.weight]))


def counted() -> int:
    return sum(ROWS - masked for masked in MASKED.values())


def expect(found: Any, expected: list[Tensor]) -> None:
    for one, other in zip(whole(found), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-9)


def squares_are_added_up(rank: int) -> None:
    model = started()
    estimator = GaussNewtonBartlett(factor_groups(model), seed=rank, predict=predict, reduce=dist.all_reduce)
    estimator.accumulate(model, part(rank))
    scores = [drawn_score(model, part(each), each) for each in range(2)]
    expected = [(one**2 + other**2) / counted() for one, other in zip(*scores, strict=True)]
    expect(estimator.finish(), expected)


def a_process_without_a_token_takes_part(rank: int) -> None:
    model = started()
    estimator = GaussNewtonBartlett(factor_groups(model), seed=rank, predict=predict, reduce=dist.all_reduce)
    estimator.accumulate(model, part(rank, masked=0 if rank else ROWS))
    score = drawn_score(model, part(1, masked=0), 1)
    expect(estimator.finish(), [each**2 / ROWS for each in score])
    estimator.accumulate(model, part(rank, masked=ROWS))
    assert estimator.finish() is None


def ddp_reduces_nothing_of_an_estimate(rank: int) -> None:
    wrapped = nn.parallel.DistributedDataParallel(started())
    groups = factor_groups(wrapped)
    for estimator in (
        GaussNewtonBartlett(groups, seed=rank, predict=predict, reduce=dist.all_reduce),
        Hutchinson(groups, seed=rank, predict=predict, reduce=dist.all_reduce),
    ):
        mean_loss(wrapped, [part(rank)]).backward()
        before = [p.grad.clone() for group in groups for p in group["params"]]
        estimator.accumulate(wrapped.module, part(rank))
        assert estimator.finish() is not None
        expect([p.grad for group in groups for p in group["params"]], before)
        wrapped.zero_grad()
        mean_loss(wrapped, [part(rank)]).backward()
        expect([p.grad for group in groups for p in group["params"]], before)
        wrapped.zero_grad()


def hutchinson_is_weighted_by_tokens_over_processes(rank: int) -> None:
    def alone(each: int) -> list[Tensor]:
        model = started()
        estimator = Hutchinson(factor_groups(model), seed=each, predict=predict)
        estimator.accumulate(model, part(each))
        return estimator.finish() or []

    model = started()
    estimator = Hutchinson(factor_groups(model), seed=rank, predict=predict, reduce=dist.all_reduce)
    estimator.accumulate(model, part(rank))
    shares = [(ROWS - MASKED[each]) / counted() for each in range(2)]
    expected = [shares[0] * one + shares[1] * other for one, other in zip(alone(0), alone(1), strict=True)]
    expect(estimator.finish(), expected)


def fsdp_estimates_from_the_score_of_all_processes(rank: int) -> None:
    model = sharded(started())
    parameters = [p for group in factor_groups(model) for p in group["params"]]
    estimator: Estimator = GaussNewtonBartlett(
        parameters, seed=rank, predict=predict, reduce=dist.all_reduce, averaged=True
    )
    mean_loss(model, [part(rank)]).backward()
    before = [gradient.clone() for gradient in whole(p.grad for p in parameters)]
    estimator.accumulate(model, part(rank), scale=8.0)
    expect([p.grad for p in parameters], before)
    scores = [drawn_score(started(), part(each), each) for each in range(2)]
    found = estimator.finish()
    assert found is not None
    expect(found, [(one + other) ** 2 / counted() for one, other in zip(*scores, strict=True)])
    estimator.accumulate(model, part(rank, masked=ROWS))
    assert estimator.finish() is None


def fsdp_steps_as_one_process_does(rank: int) -> None:
    alone, model = lora(), sharded(lora())
    one, other = trained(alone, None), trained(model, dist.all_reduce)
    expect(model.parameters(), [p.detach() for p in alone.parameters()])
    rates = [one.win_rate(group["params"]) for group in one.param_groups]
    for rate, group in zip(rates, other.param_groups, strict=True):
        assert other.win_rate(group["params"], reduce=dist.all_reduce) == rate
    assert 0 < rates[0] < 1
    assert other.hessian_norm(reduce=dist.all_reduce) == pytest.approx(one.hessian_norm())
    assert hasattr(other.state[members(other)[0]]["momentum"], "full_tensor")


def trained(model: nn.Module, reduce: Reduce | None) -> Sophia:
    """Six steps; the first estimate of A is zero in both processes' shards."""
    optimizer = Sophia(factor_groups(model), lr=0.1, gamma=0.05, weight_decay=0.1)
    rows = batch(ROWS, inputs=12, classes=8)
    for step in range(6):
        if optimizer.estimate_due:
            estimate = [torch.full(p.shape, 0.1) for p in members(optimizer)]
            estimate[0].mul_(step)
            parts = [like(value, p) for value, p in zip(estimate, members(optimizer), strict=True)]
            optimizer.update_hessian(parts, reduce=reduce)
        mean_loss(model, [rows]).backward()
        optimizer.step()
        optimizer.zero_grad()
    return optimizer


def members(optimizer: Sophia) -> list[Any]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def like(value: Tensor, parameter: Any) -> Any:
    from torch.distributed.tensor import distribute_tensor

    if not hasattr(parameter, "device_mesh"):
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements)


def hutchinson_refuses_a_sharded_model(rank: int) -> None:
    model = sharded(started())
    estimator = Hutchinson(factor_groups(model), predict=predict)
    with pytest.raises(ValueError, match="sharded model"):
        estimator.accumulate(model, part(rank))


FACTS: list[Callable[[int], None]] = [
    squares_are_added_up,
    a_process_without_a_token_takes_part,
    ddp_reduces_nothing_of_an_estimate,
    hutchinson_is_weighted_by_tokens_over_processes,
    fsdp_estimates_from_the_score_of_all_processes,
    fsdp_steps_as_one_process_does,
    hutchinson_refuses_a_sharded_model,
]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    facts = {fact.__name__: fact for fact in FACTS}
    return run_in_two_processes(facts, tmp_path_factory.mktemp("processes"))


@needs_gloo
@pytest.mark.parametrize("fact", [fact.__name__ for fact in FACTS])
def test_of_two_processes_it_holds_that(fact: str, together: Together) -> None:
    assert together.returned(fact) == [None, None]
