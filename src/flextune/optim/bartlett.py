"""Gauss-Newton-Bartlett: the Gauss-Newton diagonal from gradients on labels that the model itself draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from flextune.optim.estimator import Estimator, Predict, causal_tokens
from flextune.optim.groups import Parameters, Reduce, local


class GaussNewtonBartlett(Estimator):
    """Estimates the Gauss-Newton diagonal of the mean cross entropy (arXiv:2305.14342, algorithm 2).

    Let token t have logits z_t with Jacobian J_t, p_t = softmax(z_t), and let y be drawn from p_t. The
    score s_t = grad_w -log p_t[y] = J_t^T (p_t - onehot(y)) has mean 0, and E[s_t s_t^T] =
    J_t^T (diag(p_t) - p_t p_t^T) J_t, token t's Gauss-Newton matrix (Bartlett's identity). Draws are
    independent, so for the sum S over any B_i tokens the cross terms vanish: E[S * S] is the sum of their
    diagonals. With the gradient of the mean loss, g_i = S / B_i, and B tokens in all micro-batches i,

        estimate = sum_i B_i^2 g_i * g_i / B = sum_i (B_i / B) (B_i g_i * g_i)

    has the diagonal of the mean over all B tokens as its expectation: one micro-batch gives the published
    B g * g. True labels in place of drawn ones have no mean of 0 and estimate something else. Squaring
    each micro-batch has less variance than squaring their sum.

    Args:
        parameters: See ``Estimator``.
        seed: Of the labels that are drawn; see ``Estimator``.
        predict: See ``Estimator``; its labels only say how many tokens are counted.
        reduce: See ``Estimator``.
        averaged: Whether the model's own backward pass averages gradients over processes (FSDP). Then
            the micro-batches of all processes are one, and its square is this process's shard. Otherwise
            gradients are taken apart from ``backward()``, so no hook sees them (DDP reduces nothing), and
            ``finish`` adds up the squares.

    Raises:
        ValueError: ``averaged`` without ``reduce``, which the number of tokens needs.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        seed: int = 0,
        predict: Predict = causal_tokens,
        reduce: Reduce | None = None,
        averaged: bool = False,
    ) -> None:
        super().__init__(parameters, seed=seed, predict=predict, reduce=reduce)
        if averaged and reduce is None:
            raise ValueError(
                "averaged gradients need reduce: every process must know how many tokens all have"
            )
        self.averaged = averaged

    def accumulate(self, model: Any, batch: Mapping[str, Any], *, scale: float = 1.0) -> None:
        """Add one micro-batch's squared gradient: see ``Estimator.accumulate``."""
        with torch.enable_grad():
            logits, _ = self.predict(model, batch)
            mine = len(logits)
            tokens, processes = self._over_processes(mine, logits.device) if self.averaged else (mine, 1)
            if not tokens:
                return
            # One token of weight for each: processes with more of them must not weigh less in the average.
            loss = self._loss_on_drawn_labels(logits) * (scale * processes / tokens)
            gradients = self._averaged_gradients(model, loss) if self.averaged else self._gradients(loss)
        sums = [local(gradient).float() * (tokens / scale) for gradient in gradients]
        self._add(torch._foreach_mul(sums, sums), tokens)

    def _loss_on_drawn_labels(self, logits: Tensor) -> Tensor:
        """Sum over tokens of the cross entropy with labels from the logits' own distribution."""
        logits = logits.float()
        drawn = (
            torch.multinomial(logits.detach().softmax(-1), 1, generator=self.generator(logits.device))
            if len(logits)
            else logits.new_empty(0, 1, dtype=torch.long)
        )
        return cross_entropy(logits, drawn.squeeze(1), reduction="sum")

    def _gradients(self, loss: Tensor) -> Sequence[Tensor]:
        return torch.autograd.grad(loss, self.parameters, allow_unused=True, materialize_grads=True)

    def _averaged_gradients(self, model: Any, loss: Tensor) -> list[Tensor]:
        """Through ``backward()``, whose hooks average over processes."""
        with _own_gradients([*model.parameters(), *self.parameters]):
            loss.backward()
            return [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]

    def _over_processes(self, tokens: int, device: torch.device) -> tuple[int, int]:
        counts = torch.tensor([tokens, 1], device=device)
        assert self.reduce is not None
        self.reduce(counts)
        return int(counts[0]), int(counts[1])

    def _reduce_totals(self, totals: list[Tensor], tokens: int, reduce: Reduce) -> int:
        return tokens if self.averaged else super()._reduce_totals(totals, tokens, reduce)


@contextmanager
def _own_gradients(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Put the step's gradients aside, and back again."""
    gradients = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
