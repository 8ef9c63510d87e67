"""How far an adapter's predictions are from the base model's: the Kullback-Leibler divergence per token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

#: A logit that leaves no probability, and no nan behind.
_NEVER = -1e9


def summed_divergence(
    logits: Tensor, base_logits: Tensor, compared: Tensor, targets: Tensor | None = None
) -> Tensor:
    """``sum over compared tokens of KL(p || q) = sum_v p_v (log p_v - log q_v)``, in nats, differentiable.

    p is the adapter's distribution, q the base model's: what the adapter makes likely and the base model
    does not costs most (the direction of reinforcement learning from feedback).

    Args:
        logits: Of the model with its adapter, shape ``(batch, tokens, vocabulary)``.
        base_logits: Of the base model, of the same shape; a constant.
        compared: Which tokens' predictions count, shape ``(batch, tokens)``, bool. A text's first token is
            predicted by nothing and never counts.
        targets: The texts' tokens, shape ``(batch, tokens)``: each is left out of the two distributions that
            predict it, which are those of the other tokens then (arXiv:2605.29498). None: none is.
    """
    chosen = compared[:, 1:]
    left_out = None if targets is None else targets[:, 1:][chosen][:, None]
    # Only what counts is made float32: the vocabulary is the largest dimension there is.
    log_p = _log_probabilities(logits[:, :-1][chosen], left_out)
    log_q = _log_probabilities(base_logits[:, :-1][chosen], left_out)
    return (log_p.exp() * (log_p - log_q)).sum()


def base_predictions(base: Any, input_ids: Tensor, position_ids: Tensor | None = None) -> Tensor:
    """Logits of the model without its adapter; no graph, and no dropout: it is in evaluation mode.

    Args:
        base: The model.
        input_ids: Of a batch.
        position_ids: Of a batch that has several texts in a row.
    """
    positions = {} if position_ids is None else {"position_ids": position_ids}
    with torch.no_grad():
        logits: Tensor = base(input_ids=input_ids, **positions, use_cache=False).logits
    return logits


def _log_probabilities(logits: Tensor, left_out: Tensor | None) -> Tensor:
    full = logits if logits.dtype == torch.float64 else logits.float()
    if left_out is not None:
        full = full.scatter(-1, left_out, _NEVER)
    return full.log_softmax(-1)
