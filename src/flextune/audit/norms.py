"""How large an adapter's update is."""

from __future__ import annotations

import math
from pathlib import Path

from flextune.audit.spectra import adapter_pairs
from flextune.models.lora_files import read_lora_files


def update_norm(folder: Path | str) -> float:
    """The Frobenius norm of ``scale * B A`` of all modules of a LoRA folder together.

    ``|B A|^2`` is the sum of the products of two r x r matrices, ``B' B`` and ``A A'``; no update is formed.

    Raises:
        FlextuneError: As ``read_lora_files``.
    """
    squares = []
    for pair in adapter_pairs(read_lora_files(folder)):
        # A mixture's experts lie side by side: in A one after the other, in B they take turns.
        a = pair.a.double().unflatten(0, (pair.experts, -1))
        b = pair.b.double().unflatten(1, (-1, pair.experts)).permute(2, 0, 1)
        squares.append(pair.scale**2 * ((b.mT @ b) * (a @ a.mT)).sum().item())
    return math.sqrt(sum(squares))
