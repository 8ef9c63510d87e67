"""Hutchinson's estimate: the Hessian's own diagonal from Hessian-vector products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from flextune.optim.estimator import Estimator, Predict, causal_tokens
from flextune.optim.groups import Parameters, Reduce
from flextune.optim.together import Together, Turn

Probe = Literal["rademacher", "gaussian"]

# Attention that has a second derivative: plain, or with a plain form that can be chosen.
_DIFFERENTIABLE = (None, "eager", "sdpa")
_COMPILED = (
    "Hutchinson needs second derivatives, which a compiled model (torch.compile) has not: give it the model"
    " as it was before, or use GaussNewtonBartlett"
)


class Hutchinson(Estimator):
    """Estimates the diagonal of the Hessian H of the mean cross entropy with the true labels.

    For u with independent entries of mean 0 and variance 1, E[u * (H u)] = diag(H). (arXiv:2305.14342,
    algorithm 1.) Micro-batches have probes of their own and weigh by their counted tokens. Entries may be
    negative; Sophia clips those coordinates.

    Parameters given as groups are probed group by group, one Hessian-vector product each. The estimate of
    one group is then free of what the other would mix into it: between LoRA's A and B the Hessian holds
    first derivatives, which at B = 0 are all that A's estimate would show, noise around a diagonal of 0.

    Scaled dot product attention has no second derivative in its fast kernels; its plain form is used for the
    estimate, whatever the model uses otherwise. Other attention is refused by its name, and so is a model of
    which any part is compiled (``torch.compile``), whatever the backend. A fused operation
    that hides its second derivative inside an otherwise differentiable model (a custom
    ``autograd.Function``) cannot be seen from here: switch such kernels off.

    Args:
        parameters: See ``Estimator``.
        probe: Distribution of u. Rademacher's estimate has the smaller variance.
        seed: Of the probes u; see ``Estimator``.
        predict: See ``Estimator``.
        reduce: See ``Estimator``.
        together: See ``Estimator``.

    Raises:
        ValueError: An unknown probe; from ``accumulate``, attention without a second derivative, or a
            compiled or sharded model, whose backward pass cannot be differentiated.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        probe: Probe = "rademacher",
        seed: int = 0,
        predict: Predict = causal_tokens,
        reduce: Reduce | None = None,
        together: Together | None = None,
    ) -> None:
        super().__init__(parameters, seed=seed, predict=predict, reduce=reduce, together=together)
        if probe not in ("rademacher", "gaussian"):
            raise ValueError(f"probe: {probe!r}, but it is rademacher or gaussian")
        self.probe = probe

    def check(self, model: Any) -> None:
        """Refuse what has no second derivatives: see ``Estimator.check``."""
        if any(hasattr(parameter, "to_local") for parameter in self.parameters):
            raise ValueError(
                "Hutchinson needs second derivatives, which a sharded model (FSDP) has not: use"
                " GaussNewtonBartlett"
            )
        if is_compiled(model):
            raise ValueError(_COMPILED)
        attention = getattr(getattr(model, "config", None), "_attn_implementation", None)
        if attention not in _DIFFERENTIABLE:
            raise ValueError(
                f"Hutchinson needs second derivatives, which {attention} attention has not: load the model"
                ' with attn_implementation="eager" or "sdpa", or use GaussNewtonBartlett'
            )

    def accumulate(self, model: Any, batch: Mapping[str, Any], *, scale: float = 1.0) -> None:
        """Add one micro-batch's ``u * (H u)``: see ``Estimator.accumulate``."""
        self.check(model)
        try:
            with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
                logits, labels = self.predict(model, batch)
                probes = self._probes(len(logits), self._turn(logits))
                if not len(logits):
                    return
                loss = cross_entropy(logits.float(), labels, reduction="sum")
                products = self._products(loss * (scale / len(logits)), probes)
        except RuntimeError as error:
            # A compiled function inside the model, which nothing on the outside tells.
            if any(words in str(error) for words in ("double backward", "donated buffer")):
                raise ValueError(_COMPILED) from error
            if not any(word in str(error) for word in ("derivative", "differentiate")):
                raise
            reason = str(error).strip().splitlines()[0]
            raise ValueError(
                f"Hutchinson needs second derivatives, and a part of the model has none ({reason}): load it"
                ' with attn_implementation="eager", or use GaussNewtonBartlett'
            ) from error
        self._add(torch._foreach_mul(products, len(logits) / scale), len(logits))

    def _probes(self, tokens: int, turn: Turn | None) -> list[Tensor]:
        """The own micro-batch's u; those of others are drawn too, to keep to one generator."""
        mine: list[Tensor] = []
        for own, _ in [(True, tokens)] if turn is None and tokens else turn.counted() if turn else ():
            drawn = [self._draw(parameter) for parameter in self.parameters]
            mine = drawn if own else mine
        return mine

    def _products(self, loss: Tensor, drawn: Sequence[Tensor]) -> list[Tensor]:
        """``u * (H u)`` for every parameter, float32."""
        gradients = torch.autograd.grad(
            loss, self.parameters, create_graph=True, allow_unused=True, materialize_grads=True
        )
        products: list[Tensor] = []
        for block in self.blocks:
            part = slice(len(products), len(products) + len(block))
            probes, mine = drawn[part], gradients[part]
            products.extend(
                (u * hu).float() for u, hu in zip(probes, _hessian_times(probes, mine, block), strict=True)
            )
        return products

    def _draw(self, parameter: Tensor) -> Tensor:
        generator, device = self.generator(parameter.device), parameter.device
        if self.probe == "gaussian":
            return torch.randn(parameter.shape, generator=generator, device=device).to(parameter.dtype)
        signs = torch.randint(0, 2, parameter.shape, generator=generator, device=device)
        return signs.mul_(2).sub_(1).to(parameter.dtype)


def is_compiled(model: Any) -> bool:
    """Whether ``torch.compile`` was applied to a model or function, or to anything inside it."""
    parts = model.modules() if isinstance(model, nn.Module) else [model]
    return any(_is_compiled(part) for part in parts)


def _is_compiled(part: Any) -> bool:
    """``torch.compile(part)``, ``part.compile()``, or a compiled ``part.forward``."""
    call = getattr(part, "forward", None)
    return (
        hasattr(part, "_orig_mod")
        or getattr(part, "_compiled_call_impl", None) is not None
        or any(hasattr(each, "_torchdynamo_orig_callable") for each in (part, call))
    )


def _hessian_times(
    vectors: Sequence[Tensor], gradients: Sequence[Tensor], parameters: Sequence[Tensor]
) -> list[Tensor]:
    """The derivative of ``<vectors, gradients>``; zeros where the loss does not depend on parameters."""
    product = torch.stack([(u * g).sum().float() for u, g in zip(vectors, gradients, strict=True)]).sum()
    if not product.requires_grad:
        return [torch.zeros_like(parameter) for parameter in parameters]
    products = torch.autograd.grad(product, parameters, retain_graph=True, allow_unused=True)
    if all(part is None for part in products):
        raise RuntimeError(
            "an operation's derivative depends on the parameters, but cannot be differentiated"
        )
    return [
        torch.zeros_like(parameter) if part is None else part
        for parameter, part in zip(parameters, products, strict=True)
    ]
