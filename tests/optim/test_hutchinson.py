"""Hutchinson's estimate against the exact diagonal of the Hessian."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from tests.optim.toys import batch, hessian_diagonal, lora, mean_loss, network, predict
from tests.support.tiny import tiny_config
from torch import Tensor, nn

from flextune.optim import Hutchinson, factor_groups
from flextune.optim.hutchinson import Probe


def estimated(model: nn.Module, batches: list[dict[str, Tensor]], **options: Any) -> list[Tensor]:
    parameters = options.pop("parameters", list(model.parameters()))
    estimator = Hutchinson(parameters, predict=options.pop("predict", predict), **options)
    for rows in batches:
        estimator.accumulate(model, rows)
    found = estimator.finish()
    assert found is not None
    return found


def distance(found: list[Tensor], exact: list[Tensor]) -> float:
    """Norm of the difference over the norm of what is exact; single entries may be near 0."""
    one = torch.cat([part.flatten().double() for part in found])
    other = torch.cat([part.flatten() for part in exact])
    return float((one - other).norm() / other.norm())


def each_apart(model: nn.Module) -> list[dict[str, Any]]:
    return [{"params": [parameter]} for parameter in model.parameters()]


@pytest.mark.parametrize(("probe", "bound"), [("rademacher", 0.02), ("gaussian", 0.06)])
@pytest.mark.slow
def test_many_probes_average_to_the_exact_diagonal(probe: Probe, bound: float) -> None:
    model, rows = network(), batch(12, masked=4)
    found = estimated(model, [rows] * 2500, parameters=each_apart(model), probe=probe)
    assert distance(found, hessian_diagonal(model, [rows])) < bound


@pytest.mark.slow
def test_probing_all_parameters_together_is_as_right_and_noisier() -> None:
    model, rows = network(), batch(12, masked=4)
    found = estimated(model, [rows] * 2500)
    assert 0.02 < distance(found, hessian_diagonal(model, [rows])) < 0.1


@pytest.mark.slow
def test_micro_batches_of_unequal_counts_are_weighted_by_their_tokens() -> None:
    model = network()
    small, large = batch(4, masked=3, seed=1), batch(9, seed=2)
    exact = hessian_diagonal(model, [small, large])
    found = estimated(model, [small, large] * 2000, parameters=each_apart(model))
    assert distance(found, exact) < 0.05
    one, other = hessian_diagonal(model, [small]), hessian_diagonal(model, [large])
    plain = [(a + b) / 2 for a, b in zip(one, other, strict=True)]
    assert distance(plain, exact) > 0.15, "the plain average would not pass here"


def test_one_coordinate_has_its_second_derivative_exactly() -> None:
    w = nn.Parameter(torch.tensor([0.7]))
    rows = {"labels": torch.tensor([1, 0, 1])}

    def logits(_: Any, inputs: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        x = torch.tensor([1.0, -2.0, 0.5])
        return torch.stack([torch.zeros(3), w * x], dim=1), inputs["labels"]

    p = [1 / (1 + math.exp(-0.7 * x)) for x in (1.0, -2.0, 0.5)]
    exact = sum(x * x * q * (1 - q) for x, q in zip((1.0, -2.0, 0.5), p, strict=True)) / 3
    found = estimated(nn.Module(), [rows], parameters=[w], predict=logits)
    assert float(found[0]) == pytest.approx(exact, rel=1e-5)


def test_probing_a_and_b_apart_leaves_a_exactly_zero_where_b_is_zero() -> None:
    model, rows = lora(), batch(16, inputs=12, classes=8)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    together = estimated(model, [rows], parameters=trainable)
    apart = estimated(model, [rows], parameters=factor_groups(model))
    assert torch.count_nonzero(together[0]) > 0, "noise: A's true diagonal is 0"
    assert torch.count_nonzero(apart[0]) == 0
    assert torch.count_nonzero(apart[1]) == apart[1].numel()


def test_the_estimate_leaves_gradients_alone_and_keeps_no_graph() -> None:
    model, rows = network(), batch(6)
    mean_loss(model, [rows]).backward()
    before = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    found = estimated(model, [rows])
    after = [parameter.grad for parameter in model.parameters()]
    assert all(
        other is not None and torch.equal(one, other) for one, other in zip(before, after, strict=True)
    )
    assert not any(part.requires_grad for part in found)


def test_a_loss_scale_is_divided_out_of_the_estimate() -> None:
    model, rows = network(), batch(6)
    estimator = Hutchinson(model.parameters(), predict=predict)
    estimator.accumulate(model, rows, scale=2.0**12)
    for one, other in zip(estimated(model, [rows]), estimator.finish() or [], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)


def test_a_masked_batch_gives_no_estimate() -> None:
    estimator = Hutchinson(network().parameters(), predict=predict)
    estimator.accumulate(network(), batch(3, masked=3))
    assert estimator.finish() is None


def llama(attention: str) -> Any:
    from transformers import LlamaForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(tiny_config(attn_implementation=attention)).requires_grad_(False)


def on_text(model: Any) -> list[Tensor]:
    ids = torch.randint(0, 258, (2, 9), generator=torch.Generator().manual_seed(0))
    weight = model.model.layers[0].self_attn.q_proj.weight.requires_grad_(True)
    estimator = Hutchinson([weight])
    estimator.accumulate(model, {"input_ids": ids, "labels": ids})
    return estimator.finish() or []


def test_a_model_with_sdpa_has_the_estimate_of_plain_attention() -> None:
    fast = llama("sdpa")
    torch.testing.assert_close(on_text(fast)[0], on_text(llama("eager"))[0], rtol=1e-3, atol=1e-9)
    assert fast.config._attn_implementation == "sdpa"


def test_sdpa_without_the_switch_has_no_second_derivative() -> None:
    """If this changes, torch has learned it and the switch can go."""
    q = torch.randn(1, 2, 8, 4, requires_grad=True)
    out = torch.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True)
    (first,) = torch.autograd.grad(out.square().sum(), q, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative"):
        torch.autograd.grad(first.sum(), q)


def test_attention_without_a_second_derivative_is_refused_by_its_name() -> None:
    model = llama("eager")
    model.config._attn_implementation_internal = "flash_attention_2"
    with pytest.raises(ValueError, match=r"flash_attention_2 attention has not: load the model with"):
        on_text(model)


class FirstOnly(torch.autograd.Function):
    """An operation whose backward cannot be differentiated, as fused kernels are."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 2 * ctx.saved_tensors[0] * gradient


def test_an_operation_without_a_second_derivative_is_an_error_that_says_what_to_do() -> None:
    w = nn.Parameter(torch.ones(2))

    def logits(_: Any, inputs: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        return FirstOnly.apply(w)[None], inputs["labels"]

    estimator = Hutchinson([w], predict=logits)
    with pytest.raises(ValueError, match=r"Hutchinson needs second derivatives.*GaussNewtonBartlett"):
        estimator.accumulate(None, {"labels": torch.tensor([1])})


def compiled_forward(model: Any) -> Any:
    model.forward = torch.compile(model.forward)
    return model


def compiled_in_place(model: Any) -> Any:
    model.compile()
    return model


def compiled_layer(model: Any) -> Any:
    model.model.layers[0].compile()
    return model


def compiled_part(model: Any) -> Any:
    model.model.layers[0].mlp = torch.compile(model.model.layers[0].mlp)
    return nn.Sequential(model)


COMPILED = {
    "model": torch.compile,
    "in place": compiled_in_place,
    "forward": compiled_forward,
    "a layer": compiled_layer,
    "a part of a wrapped model": compiled_part,
    "function": lambda model: torch.compile(lambda **inputs: model(**inputs)),
}


@pytest.mark.parametrize("compiled", COMPILED.values(), ids=COMPILED.keys())
def test_a_compiled_model_is_refused_before_any_batch(compiled: Any) -> None:
    model = llama("eager")
    estimator = Hutchinson([model.lm_head.weight])
    for refuse in (estimator.check, lambda model: estimator.accumulate(model, {})):
        with pytest.raises(ValueError, match=r"which a compiled model \(torch\.compile\) has not") as caught:
            refuse(compiled(llama("eager")))
        assert "\n" not in str(caught.value)
    estimator.check(model)


@pytest.mark.slow
def test_a_compiled_function_inside_a_model_is_refused_by_the_same_name() -> None:
    torch._dynamo.reset()
    model = llama("eager")
    inner = torch.compile(nn.functional.silu, backend="aot_eager")
    model.model.layers[0].mlp.act_fn.forward = lambda x: inner(x)
    with pytest.raises(ValueError, match=r"which a compiled model \(torch\.compile\) has not"):
        on_text(model)


def test_an_unknown_probe_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^probe: 'sobol'"):
        Hutchinson(network().parameters(), probe="sobol")  # type: ignore[arg-type]
