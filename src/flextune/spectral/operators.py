"""The quadratic forms of ``form`` as operators on a batch of vectors of one length.

An operator Q has three uses, one for each way of applying a penalty: ``energy`` is ``w' Q w`` and
differentiable, ``gradient`` is ``2 Q w``, ``shrink`` solves the proximal problem

    ``argmin_u  |u - w|^2 / 2 + step u' Q u  =  (1 + 2 step Q)^-1 w``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from flextune.spectral.form import PenaltyForm, eigenvalues, mask, multiplicity


def spectral_filter(signals: Tensor, gains: Tensor) -> Tensor:
    """``irfft(gains * rfft(signals))`` along the last dimension, differentiable.

    Args:
        signals: Shape ``(..., n)``, float32 or float64.
        gains: Real, broadcasts to ``(..., n // 2 + 1)``.
    """
    length = signals.shape[-1]
    spectrum = torch.fft.rfft(signals)
    # Both transforms run unscaled (a scaled one is another pass over the data on a GPU), and the product is
    # made in place.
    spectrum.mul_(gains / length)
    return torch.fft.irfft(spectrum, n=length, norm="forward")


def spectral_energy(signals: Tensor, weights: Tensor) -> Tensor:
    """``sum_k weights_k |rfft(signals)_k|^2`` (norm "ortho"), summed over the batch, differentiable."""
    spectrum = torch.view_as_real(torch.fft.rfft(signals))
    return (spectrum.square().sum(-1) * (weights / signals.shape[-1])).sum()


class Operator(Protocol):
    """A positive semidefinite form on vectors of one length, acting on shape ``(batch, n)``."""

    def energy(self, signals: Tensor) -> Tensor:
        """``sum of w' Q w`` over the batch, differentiable."""
        ...

    def gradient(self, signals: Tensor) -> Tensor:
        """``2 Q w`` for each, a new tensor."""
        ...

    def shrink(self, signals: Tensor, step: float) -> Tensor:
        """``(1 + 2 step Q)^-1 w`` for each."""
        ...


class Fourier:
    """Diagonal in frequency.

    Args:
        values: Eigenvalues, shape ``(n // 2 + 1,)``, on the signals' device and in their dtype.
        length: n.
    """

    def __init__(self, values: Tensor, length: int) -> None:
        self._values = values
        self._weights = values * multiplicity(length).to(values)

    def energy(self, signals: Tensor) -> Tensor:
        """``sum_k m_k s_k |rfft(w)_k|^2``."""
        return spectral_energy(signals, self._weights)

    def gradient(self, signals: Tensor) -> Tensor:
        """``2 irfft(s rfft(w))``."""
        return spectral_filter(signals, 2 * self._values)

    def shrink(self, signals: Tensor, step: float) -> Tensor:
        """Divides each frequency by ``1 + 2 step s_k``."""
        return spectral_filter(signals, 1 / (1 + 2 * step * self._values))


class Isotropic:
    """A multiple of the identity: weight decay."""

    def __init__(self, value: float) -> None:
        self._value = value

    def energy(self, signals: Tensor) -> Tensor:
        """``value |w|^2``."""
        return self._value * signals.square().sum()

    def gradient(self, signals: Tensor) -> Tensor:
        """``2 value w``."""
        return 2 * self._value * signals

    def shrink(self, signals: Tensor, step: float) -> Tensor:
        """``w / (1 + 2 step value)``."""
        return signals / (1 + 2 * step * self._value)


class Permuted:
    """Another operator, after the entries took a fixed order: ``P' Q P``."""

    def __init__(self, inner: Operator, order: Tensor) -> None:
        self._inner = inner
        self._order = order
        self._back = order.argsort()

    def energy(self, signals: Tensor) -> Tensor:
        """The inner energy of the reordered entries."""
        return self._inner.energy(signals[:, self._order])

    def gradient(self, signals: Tensor) -> Tensor:
        """The inner gradient at the reordered entries, in the old order."""
        return self._inner.gradient(signals[:, self._order])[:, self._back]

    def shrink(self, signals: Tensor, step: float) -> Tensor:
        """The inner proximal point of the reordered entries, in the old order."""
        return self._inner.shrink(signals[:, self._order], step)[:, self._back]


@lru_cache(maxsize=256)
def operator(length: int, form: PenaltyForm, device: torch.device, dtype: torch.dtype) -> Operator:
    """The operator of a form on vectors of one length; kept for the next call."""
    # A tensor made under inference_mode and kept could not take part in autograd later.
    with torch.inference_mode(False):
        values = eigenvalues(length, form)
        if form.kind == "l2":
            return Isotropic(values[0].item())
        fourier = Fourier(values.to(device, dtype), length)
        if form.kind != "permuted":
            return fourier
        # Drawn on the CPU, so that every device and every process has the same order.
        generator = torch.Generator("cpu").manual_seed(form.seed)
        order = torch.randperm(length, generator=generator, device="cpu")
        return Permuted(fourier, order.to(device))


@lru_cache(maxsize=256)
def mask_on(length: int, form: PenaltyForm, device: torch.device, dtype: torch.dtype) -> Tensor:
    """phi where and how it is used; kept for the next call."""
    with torch.inference_mode(False):
        return mask(length, form).to(device, dtype)
