"""Two models on the same texts, token by token."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

#: Ids of a text, and how many of them are the prompt, to logits of shape ``(tokens, vocabulary)``.
Logits = Callable[[Sequence[int]], "Tensor"]


@dataclass(frozen=True)
class Text:
    """A text on which models are compared: at every token that follows the prompt, and at what comes next.

    Attributes:
        name: Of its problem.
        ids: Prompt and continuation.
        prompt: Number of tokens in the prompt, at least one.
    """

    name: str
    ids: tuple[int, ...]
    prompt: int


@dataclass(frozen=True)
class TokenAudit:
    """What merging did to the next-token distributions; mean over tokens, in nats.

    Attributes:
        tokens: How many were compared.
        kl: Mean of ``KL(unmerged || merged)``.
        kl_max: The largest.
        top1: Share of tokens where both models' likeliest is the same.
        effect: Mean of ``KL(unmerged || base)``: what the adapter does at all.
    """

    tokens: int
    kl: float
    kl_max: float
    top1: float
    effect: float

    @property
    def lost(self) -> float:
        """``kl / effect``: what merging changed, as a part of what the adapter did; nan without effect."""
        return self.kl / self.effect if self.effect > 0 else math.nan


@dataclass(frozen=True)
class Distributions:
    """Log-probabilities of one model on some texts.

    Attributes:
        logs: For each text, shape ``(tokens after the prompt + 1, vocabulary)``, float32.
    """

    logs: tuple[Tensor, ...]


def distributions(texts: Sequence[Text], logits: Logits) -> Distributions:
    """A model's next-token distributions from the end of the prompts on."""
    import torch

    logs = []
    for text in texts:
        # The distribution of a token is computed at the one before it; the last tells whether it ends there.
        rows = logits(text.ids)[text.prompt - 1 :]
        logs.append(torch.log_softmax(rows.double(), dim=-1).float().cpu())
    return Distributions(tuple(logs))


def compare_tokens(unmerged: Distributions, merged: Distributions, base: Distributions) -> TokenAudit:
    """Merged against unmerged, and the base model against it, on the same texts."""
    import torch

    kl = torch.cat([_kl(p, q) for p, q in zip(unmerged.logs, merged.logs, strict=True)])
    effect = torch.cat([_kl(p, q) for p, q in zip(unmerged.logs, base.logs, strict=True)])
    same = torch.cat([p.argmax(-1) == q.argmax(-1) for p, q in zip(unmerged.logs, merged.logs, strict=True)])
    return TokenAudit(
        tokens=kl.numel(),
        kl=float(kl.mean()),
        kl_max=float(kl.max()),
        top1=float(same.double().mean()),
        effect=float(effect.mean()),
    )


def _kl(p: Tensor, q: Tensor) -> Tensor:
    """``KL(p || q)`` of rows of log-probabilities, in float64.

    Written as ``sum p (log p - log q - 1) + q``, every term of which is at least 0: the usual form loses
    small divergences among terms that cancel.
    """
    import torch

    first, second = p.double(), q.double()
    gap = first - second
    terms = first.exp() * (torch.expm1(-gap) + gap)
    # A token that one of them rules out (minus infinity) adds nothing where p has none of it.
    return torch.where(torch.isneginf(first), second.exp(), terms).sum(-1)
