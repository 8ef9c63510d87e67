"""An update whose largest singular values are cut: smaller, without any frequency."""

from __future__ import annotations

from torch import Tensor, linalg


def clip_singular_values(a: Tensor, b: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """Factors of ``B A`` with every singular value above ``limit`` cut to it; the others stay.

    Only r x r matrices are decomposed; computed in float64.

    Args:
        a: Shape ``(r, in)``.
        b: Shape ``(out, r)``.
        limit: Largest singular value that is kept, above 0.

    Returns:
        Factors of the shapes and dtypes of ``a`` and ``b``; the same objects where nothing is cut.
    """
    q_a, core_a = linalg.qr(a.double().mT)
    q_b, core_b = linalg.qr(b.double())
    left, values, right = linalg.svd(core_b @ core_a.mT, full_matrices=False)
    if float(values[0]) <= limit:
        return a, b
    # Half of each value in either factor, so that neither grows beyond what it was.
    roots = values.clamp(max=limit).sqrt()
    clipped_a = roots[:, None] * (right @ q_a.mT)
    clipped_b = (q_b @ left) * roots
    return _padded(clipped_a, a), _padded(clipped_b.mT, b.mT).mT.contiguous()


def _padded(rows: Tensor, like: Tensor) -> Tensor:
    """As many rows as ``like`` has: a matrix narrower than the rank has fewer singular values."""
    result = like.new_zeros(like.shape)
    result[: len(rows)] = rows.to(like.dtype)
    return result
