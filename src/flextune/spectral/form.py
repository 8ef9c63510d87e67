"""Which penalty: every choice that the paper (arXiv:2604.06253) leaves open, named, and its weights.

All penalties on vectors here are quadratic forms ``L(w) = w' Q w`` that a real Fourier transform makes
diagonal. With ``X = rfft(w)`` under norm "ortho" and Q's eigenvalue ``s_k`` at frequency k,

    ``L(w) = sum_k m_k s_k |X_k|^2``,   ``grad L = 2 irfft(s X)``,   ``trace Q = sum_k m_k s_k``,

where ``m_k`` counts how often the full transform holds what rfft holds once: 1 at DC and, for even
lengths, at Nyquist; 2 between them. A form is therefore a vector of eigenvalues, see ``eigenvalues``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

Kind = Literal["fourier", "reversed", "permuted", "l2", "update"]
Norm = Literal["ortho", "backward"]
CutoffOf = Literal["bins", "length"]
Flatten = Literal["row", "column", "rank"]
Target = Literal["both", "A", "B"]
Reduction = Literal["sum", "mean"]
Of = Literal["weights", "change"]

_CHOICES: dict[str, tuple[str | bool, ...]] = {
    "kind": get_args(Kind),
    "norm": get_args(Norm),
    "cutoff_of": get_args(CutoffOf),
    "flatten": get_args(Flatten),
    "target": get_args(Target),
    "reduction": get_args(Reduction),
    "of": get_args(Of),
    "onesided": (True, False),
}


@dataclass(frozen=True)
class PenaltyForm:
    """One reading of the penalty; docs/penalty.md gives the reason for each default.

    Attributes:
        kind: ``fourier``, the paper's penalty on the factors as vectors; its controls of the same trace
            ``reversed`` (low frequencies weighted most), ``permuted`` (the entries in a fixed random
            order first) and ``l2``; or ``update``, the penalty on the 2-D spectrum of scale * B A.
        cutoff: T, where phi's ramp ends, as a share of what ``cutoff_of`` names; above 0.
        low: phi at frequency 0, in [0, 1].
        high: phi from the cutoff upwards, in [0, 1].
        norm: ``ortho`` divides the transform by the root of its length; ``backward`` does not, so that
            the value grows with the matrix.
        cutoff_of: N in phi: ``bins``, the ``n // 2 + 1`` frequencies of a real signal (T = 0.5 ends the
            ramp at half of Nyquist), or ``length``, its n entries (T = 0.5 ends it at Nyquist).
        flatten: How a matrix becomes vectors: ``row`` by row, ``column`` by column, or each ``rank``
            alone (the rows of A, the columns of B).
        target: The factors that are penalised.
        reduction: Over matrices (over adapted modules for ``update``).
        onesided: Whether to sum over rfft's bins; otherwise over all frequencies, where all but DC and
            Nyquist count twice.
        of: ``weights``, or their ``change`` since training began (``LoraPair.start``), which leaves A's
            random start free. A pair that comes with a start counts by its change either way.
        seed: Decides, with the vector's length, the order of kind ``permuted``; nothing else here is random.

    Raises:
        ValueError: An unknown choice, a number out of range, or a choice that ``update`` has no use for.
    """

    kind: Kind = "fourier"
    cutoff: float = 0.5
    low: float = 1.0
    high: float = 0.1
    norm: Norm = "ortho"
    cutoff_of: CutoffOf = "bins"
    flatten: Flatten = "row"
    target: Target = "both"
    reduction: Reduction = "sum"
    onesided: bool = True
    of: Of = "weights"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} {value!r}: unknown (known: {', '.join(map(str, known))})")
        if not self.cutoff > 0:
            raise ValueError(f"cutoff {self.cutoff}: must be above 0")
        for name in ("low", "high"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} {value}: phi lies between 0 and 1")
        if self.kind == "update":
            for name, needed in (("flatten", "row"), ("target", "both"), ("onesided", True)):
                value = getattr(self, name)
                if value != needed:
                    raise ValueError(
                        f"{name} {value!r}: has no meaning for kind 'update', which takes the whole"
                        " two-dimensional transform; leave it out"
                    )


#: What the formula says read with torch's defaults, and what we recommend.
PRESETS: dict[str, PenaltyForm] = {
    "default": PenaltyForm(),
    "paper-literal": PenaltyForm(norm="backward"),
}


def preset(name: str, **changes: Any) -> PenaltyForm:
    """A named form with some of its options changed.

    Raises:
        ValueError: An unknown name, or as ``PenaltyForm``.
    """
    if name not in PRESETS:
        raise ValueError(f"preset {name!r}: unknown (known: {', '.join(PRESETS)})")
    return replace(PRESETS[name], **changes)


def mask(length: int, form: PenaltyForm) -> Tensor:
    """``phi(k) = low + (high - low) min(1, k / (N T))``, the paper's low-pass mask.

    Returns:
        Shape ``(length // 2 + 1,)``, float64.
    """
    if length < 1:
        raise ValueError(f"length {length}: a signal has at least one entry")
    bins = length // 2 + 1
    total = bins if form.cutoff_of == "bins" else length
    ramp = (torch.arange(bins, dtype=torch.float64, device="cpu") / (total * form.cutoff)).clamp(max=1)
    return form.low + (form.high - form.low) * ramp


def multiplicity(length: int) -> Tensor:
    """How many of the full transform's bins each of rfft's stands for: 2, but 1 at DC and at Nyquist."""
    counts = torch.full((length // 2 + 1,), 2.0, dtype=torch.float64, device="cpu")
    counts[0] = 1
    if length % 2 == 0:
        counts[-1] = 1
    return counts


def eigenvalues(length: int, form: PenaltyForm) -> Tensor:
    """The eigenvalues s_k of the quadratic form on vectors of one length.

    ``rho = 1 - phi``; a one-sided sum meets all but DC and Nyquist once where the full transform holds
    them twice, hence ``s = rho / m``; a two-sided one has ``s = rho``. The controls have the same trace:
    ``l2`` spreads it evenly, ``reversed`` runs rho from Nyquist down (rescaled where that changes the
    trace: odd lengths, two-sided). ``permuted`` has the eigenvalues of ``fourier``, in another basis.

    Returns:
        Shape ``(length // 2 + 1,)``, float64.
    """
    counts = multiplicity(length)
    rho = 1 - mask(length, form)
    per_bin = counts if form.onesided else torch.ones_like(counts)
    values = rho / per_bin
    total = (counts * values).sum()
    if form.kind == "reversed":
        values = rho.flip(0) / per_bin
        changed = (counts * values).sum()
        values = values * (total / changed) if changed > 0 else values
    elif form.kind == "l2":
        values = torch.full_like(values, total.item() / length)
    return values * length if form.norm == "backward" else values


def trace(length: int, form: PenaltyForm) -> float:
    """Trace of the quadratic form: the penalty that white noise of variance 1 has in expectation."""
    return (multiplicity(length) * eigenvalues(length, form)).sum().item()


def decoupled_strength(shrinkage: float, rate_sum: float, length: int, form: PenaltyForm) -> float:
    """The strength of a proximal run whose matched L2 control shrinks the weights by ``shrinkage``.

    A step of learning rate eta and strength lambda divides frequency k by ``1 + 2 eta lambda s_k``; over a
    run whose learning rates sum to S, its matched L2 control leaves ``exp(-2 lambda S mean(s))``. Solved
    for lambda. (The same number means something else as a loss or a gradient, where Adam rescales it.)

    Args:
        shrinkage: In (0, 1).
        rate_sum: S, the sum of the learning rates over the optimizer steps.
        length: Entries of a typical vector; under norm "ortho" it hardly matters.
        form: Any but ``update``.
    """
    if not 0 < shrinkage < 1:
        raise ValueError(f"shrinkage {shrinkage}: must lie between 0 and 1")
    if not rate_sum > 0:
        raise ValueError(f"rate_sum {rate_sum}: must be above 0")
    total = trace(length, form)
    if total == 0:
        raise ValueError("low 1.0 and high 1.0: this penalty is zero at every strength")
    return -math.log1p(-shrinkage) * length / (2 * rate_sum * total)
