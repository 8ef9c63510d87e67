"""How large an adapter's update is."""

from __future__ import annotations

import math
from pathlib import Path

from flextune.audit.spectra import adapter_pairs
from flextune.models.lora_files import read_lora_files
from flextune.spectral.pairs import LoraPair
from flextune.spectral.spectrum import singular_values


def update_norm(folder: Path | str, spectral_norm: float | None = None) -> float:
    """The Frobenius norm of ``scale * B A`` of all modules of a LoRA folder together.

    ``|B A|^2`` is the sum of the products of two r x r matrices, ``B' B`` and ``A A'``; no update is formed.

    Args:
        folder: A LoRA folder.
        spectral_norm: Where larger singular values of each module's update are cut; None: nowhere.

    Raises:
        FlextuneError: As ``read_lora_files``.
    """
    pairs = adapter_pairs(read_lora_files(folder))
    if spectral_norm is None:
        return math.sqrt(sum(map(_squared_norm, pairs)))
    values = (singular_values(pair).double().abs().clamp(max=spectral_norm) for pair in pairs)
    return math.sqrt(sum(each.square().sum().item() for each in values))


def _squared_norm(pair: LoraPair) -> float:
    # A mixture's experts lie side by side: in A one after the other, in B they take turns.
    a = pair.a.double().unflatten(0, (pair.experts, -1))
    b = pair.b.double().unflatten(1, (-1, pair.experts)).permute(2, 0, 1)
    return float(pair.scale**2 * ((b.mT @ b) * (a @ a.mT)).sum())
