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
from flextune.optim.together import Together, Turn


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
        together: See ``Estimator``. With ``averaged`` all processes share one micro-batch.
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
        together: Together | None = None,
        averaged: bool = False,
    ) -> None:
        super().__init__(parameters, seed=seed, predict=predict, reduce=reduce, together=together)
        if averaged and reduce is None:
            raise ValueError(
                "averaged gradients need reduce: every process must know how many tokens all have"
            )
        self.averaged = averaged

    def accumulate(self, model: Any, batch: Mapping[str, Any], *, scale: float = 1.0) -> None:
        """Add one micro-batch's squared gradient: see ``Estimator.accumulate``."""
        with torch.enable_grad():
            logits, _ = self.predict(model, batch)
            turn = self._turn(logits)
            # Drawn before anything else, and by processes without tokens too: all keep to one generator.
            labels = self._draw_labels(logits, turn)
            mine = len(logits) if turn is None else turn.tokens
            tokens, processes = (
                self._over_processes(len(logits), logits.device) if self.averaged else (mine, 1)
            )
            if not tokens:
                return
            # One token of weight for each: processes with more of them must not weigh less in the average.
            loss = cross_entropy(logits.float(), labels, reduction="sum") * (scale * processes / tokens)
            gradients = self._averaged_gradients(model, loss) if self.averaged else self._gradients(loss)
        sums = [local(gradient).float() * (tokens / scale) for gradient in gradients]
        if self.together is not None and turn is not None and not self.averaged:
            self.together.add_up(sums)
            if not turn.first:
                return
        self._add(torch._foreach_mul(sums, sums), tokens)

    def _draw_labels(self, logits: Tensor, turn: Turn | None) -> Tensor:
        """A label for each token, from the logits' own distribution."""
        odds = logits.detach().float().softmax(-1)
        generator = self.generator(logits.device)
        if turn is not None:
            return (odds / self._noise(odds, turn, generator)).argmax(-1)
        if not len(odds):
            return odds.new_empty(0, dtype=torch.long)
        return torch.multinomial(odds, 1, generator=generator).squeeze(-1)

    def _noise(self, odds: Tensor, turn: Turn, generator: torch.Generator) -> Tensor:
        """This process's part of what ``multinomial`` divides by where one process draws for all tokens."""
        mine = torch.ones_like(odds)
        for own, total in turn.counted():
            drawn = odds.new_empty(total, odds.shape[-1]).exponential_(generator=generator)
            if own:
                mine = drawn[turn.before : turn.before + len(odds)]
        return mine

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
