"""Cross entropy over a large vocabulary, with the logits of a few tokens at a time.

The logits of 2,048 tokens over 152,000 words take 1.2 GB in float32, and a loss holds several copies. In
pieces they take a few dozen MB. torch's ``linear_cross_entropy`` has pieces, too; in torch 2.13 on a CPU it
takes twenty times as long as all logits at once, and adds up bfloat16 losses in bfloat16.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from flextune.models.encoding import IGNORED
from flextune.models.whole import base_of

#: Logits of a piece. A GPU needs larger ones to be busy.
ON_CPU, ON_GPU = 2**24, 2**26


def half_of(arguments: Any) -> torch.dtype | None:
    """The type that a training's products are in where it is not that of the weights."""
    return torch.bfloat16 if arguments.bf16 else torch.float16 if arguments.fp16 else None


def rows_at_once(head: nn.Linear) -> int:
    """Tokens whose logits are a piece."""
    logits = ON_CPU if head.weight.device.type == "cpu" else ON_GPU
    return max(1, logits // head.out_features)


def plain_head(model: Any) -> nn.Linear | None:
    """The output layer of a causal model, if its loss can be computed in pieces.

    Args:
        model: With or without an adapter, on its device.

    Returns:
        None where the layer trains, has an adapter or packed weights, or where the model does something to
        the logits that it makes (Gemma 2 caps them).
    """
    base = base_of(model)
    head = base.get_output_embeddings()
    if type(head) is not nn.Linear or any(each.requires_grad for each in head.parameters()):
        return None
    if "forward" in vars(head) or not _ends_with(base, head):
        return None
    return head


def _ends_with(base: Any, head: nn.Linear) -> bool:
    """Whether a model's logits are the output layer's own."""
    training = base.training
    ids = torch.tensor([[1, 2]], device=head.weight.device)
    base.eval()
    try:
        with torch.no_grad():
            logits = base(input_ids=ids, use_cache=False).logits
            with without_head(head):
                hidden = base(input_ids=ids, use_cache=False).logits
            return hidden.shape[-1] == head.in_features and torch.allclose(
                head(hidden).float(), logits.float(), rtol=1e-3, atol=1e-4
            )
    finally:
        base.train(training)


@contextmanager
def without_head(head: nn.Linear) -> Iterator[None]:
    """Within it a model's logits are what its output layer would have been given."""
    head.forward = _same  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del head.forward


def _same(hidden: Tensor) -> Tensor:
    return hidden


def summed_loss(hidden: Tensor, head: nn.Linear, targets: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """The sum of the cross entropies, in float32; gradients reach ``hidden`` alone.

    Args:
        hidden: What the output layer is given, shape ``(tokens, width)``.
        head: The output layer, frozen.
        targets: Ids of shape ``(tokens,)``; tokens with -100 are left out.
        dtype: Of the products; None: of the layer's weights.
    """
    counted = targets.ne(IGNORED)
    total: Tensor = _InPieces.apply(hidden[counted], head, targets[counted], dtype or head.weight.dtype)
    return total


class _InPieces(torch.autograd.Function):
    """Each piece's gradient is computed with its loss, since its logits are there only then."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: nn.Linear, targets: Tensor, dtype: torch.dtype) -> Tensor:
        weight = head.weight.to(dtype)
        bias = None if head.bias is None else head.bias.to(dtype)
        wanted = ctx.needs_input_grad[0]
        gradient = torch.empty_like(hidden) if wanted else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        rows = rows_at_once(head)
        for begin in range(0, len(hidden), rows):
            piece = slice(begin, begin + rows)
            ids = targets[piece, None]
            logits = nn.functional.linear(hidden[piece].to(dtype), weight, bias).float()
            normalizers = logits.logsumexp(-1, keepdim=True)
            total += (normalizers - logits.gather(1, ids)).sum()
            if gradient is not None:
                odds = logits.sub_(normalizers).exp_()
                odds.scatter_add_(1, ids, odds.new_full(ids.shape, -1.0))
                gradient[piece] = odds.to(dtype) @ weight
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * scale.to(gradient.dtype), None, None, None
