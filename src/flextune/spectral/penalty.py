"""The frequency-domain penalty on LoRA matrices (arXiv:2604.06253), and its exact gradient.

A matrix is flattened row by row to w of length n. With ``X = rfft(w)`` and one weight per frequency,

    ``L(w) = sum_k rho(k) |X_k|^2``,   ``rho(k) = 1 - phi(k)``,
    ``phi(k) = low + (high - low) min(1, k / (N T))``.

phi is a low-pass mask: it falls from ``low`` at frequency 0 to ``high`` at the cutoff, so high
frequencies are penalised most. The paper leaves open what N counts; see ``weights``.

The gradient needs no graph. rfft holds each frequency strictly between 0 and Nyquist once, where the
full transform holds it and its conjugate; the derivative of ``|X_k|^2`` is the inverse transform of a
spectrum in which both carry half. With ``s_k = rho_k / 2`` there and ``s_k = rho_k`` at DC and at
Nyquist (which exists for even n only),

    ``dL/dw = 2 c irfft(s X, n)``,   c = n under norm "backward", 1 under "ortho",

where both transforms carry the unscaled forward and the 1/n inverse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Norm = Literal["ortho", "backward"]
Count = Literal["bins", "entries"]


def weights(
    length: int,
    cutoff: float,
    low: float,
    high: float,
    count: Count = "bins",
    *,
    device: torch.device | None = None,
) -> Tensor:
    """rho(k) for every frequency of a real signal.

    Args:
        length: Entries n of the flattened matrix.
        cutoff: T, where phi's ramp ends, as a share of N.
        low: phi at frequency 0, in [0, 1].
        high: phi from the cutoff upwards, in [0, 1].
        count: What N is: ``bins``, the ``n // 2 + 1`` frequencies (T = 0.5 ends the ramp at half of
            Nyquist), or ``entries``, n itself (T = 0.5 ends it at Nyquist).
        device: Where the result lies.

    Returns:
        Shape ``(n // 2 + 1,)``, float64.

    Raises:
        ValueError: A number out of its range.
    """
    if length < 1:
        raise ValueError(f"length {length}: a signal has at least one entry")
    if not cutoff > 0:
        raise ValueError(f"cutoff {cutoff}: must be above 0")
    for name, value in (("low", low), ("high", high)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} {value}: phi lies between 0 and 1")
    bins = length // 2 + 1
    total = {"bins": bins, "entries": length}[count]
    ramp = torch.arange(bins, dtype=torch.float64, device=device).div_(total * cutoff).clamp_(max=1)
    return 1 - (low + (high - low) * ramp)


def fourier_penalty(w: Tensor, rho: Tensor, norm: Norm = "ortho") -> Tensor:
    """``sum_k rho(k) |rfft(w)_k|^2``, differentiable.

    Args:
        w: A matrix of any shape with n entries; half precision is computed in float32.
        rho: Shape ``(n // 2 + 1,)``.
        norm: ``ortho`` divides the transform by sqrt(n); ``backward`` leaves it, so that the value grows
            with n.

    Returns:
        A scalar.
    """
    spectrum = torch.fft.rfft(_real(w).flatten(), norm=norm)
    return (_power(spectrum) * rho.to(spectrum.real.dtype)).sum()


def penalty_gradient(w: Tensor, rho: Tensor, norm: Norm = "ortho") -> Tensor:
    """The gradient of ``fourier_penalty``, without a graph.

    Returns:
        The shape of ``w``; float32 for half precision.
    """
    return penalty_and_gradient(w.unsqueeze(0), rho, norm)[1][0]


def penalty_and_gradient(matrices: Tensor, rho: Tensor, norm: Norm = "ortho") -> tuple[Tensor, Tensor]:
    """Value and gradient for many matrices of one shape, with one transform each way.

    Args:
        matrices: Shape ``(batch, ...)``, n entries each.
        rho: Shape ``(n // 2 + 1,)``.
        norm: As in ``fourier_penalty``.

    Returns:
        The sum of the batch's penalties, a scalar, and the gradient, of the shape of ``matrices``.
    """
    flat = _real(matrices.detach()).flatten(1)
    length = flat.shape[1]
    rho = rho.to(flat.dtype)
    spectrum = torch.fft.rfft(flat, norm=norm)
    value = (_power(spectrum) @ rho).sum()
    shared = rho / 2
    shared[0] = rho[0]
    if length % 2 == 0:
        shared[-1] = rho[-1]
    # "ortho" scales both ways by 1/sqrt(n), which is its c = 1; "backward" has to undo the inverse's 1/n.
    scale = 2 * length if norm == "backward" else 2
    gradient = torch.fft.irfft(spectrum * (scale * shared), n=length, norm=norm)
    return value, gradient.view(matrices.shape)


class FourierPenalty:
    """The summed penalty of a set of matrices; holds rho per length and device.

    Args:
        cutoff: T.
        low: phi at frequency 0.
        high: phi from the cutoff upwards.
        norm: Of the transform.
        count: What T is a share of.

    Raises:
        ValueError: A number out of its range.
    """

    def __init__(
        self,
        cutoff: float = 0.5,
        low: float = 1.0,
        high: float = 0.1,
        norm: Norm = "ortho",
        count: Count = "bins",
    ) -> None:
        self.cutoff, self.low, self.high, self.norm, self.count = cutoff, low, high, norm, count
        self._weights: dict[tuple[int, torch.device, torch.dtype], Tensor] = {}
        weights(1, cutoff, low, high, count)

    def rho(self, length: int, device: torch.device, dtype: torch.dtype) -> Tensor:
        """rho for one length, kept for the next call."""
        key = (length, device, dtype)
        if key not in self._weights:
            self._weights[key] = weights(
                length, self.cutoff, self.low, self.high, self.count, device=device
            ).to(dtype)
        return self._weights[key]

    def value(self, matrices: Sequence[Tensor]) -> Tensor:
        """The differentiable sum over the matrices."""
        return torch.stack(
            [fourier_penalty(w, self.rho(w.numel(), w.device, _dtype(w)), self.norm) for w in matrices]
        ).sum()

    def value_and_gradients(self, matrices: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The sum over the matrices and one gradient for each, batched over equal shapes."""
        groups: dict[tuple[torch.Size, torch.device, torch.dtype], list[int]] = defaultdict(list)
        for index, w in enumerate(matrices):
            groups[w.shape, w.device, w.dtype].append(index)
        gradients: list[Tensor] = list(matrices)
        values = []
        for indices in groups.values():
            batch = torch.stack([matrices[index].detach() for index in indices])
            rho = self.rho(batch[0].numel(), batch.device, _dtype(batch))
            value, gradient = penalty_and_gradient(batch, rho, self.norm)
            values.append(value.to(matrices[0].device))
            for index, part in zip(indices, gradient.unbind(), strict=True):
                gradients[index] = part
        return torch.stack([value.double() for value in values]).sum(), gradients


def _dtype(w: Tensor) -> torch.dtype:
    return torch.float64 if w.dtype == torch.float64 else torch.float32


def _real(w: Tensor) -> Tensor:
    # Half-precision FFTs need CUDA and power-of-two sizes; layer widths are neither.
    return w.to(_dtype(w))


def _power(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()
