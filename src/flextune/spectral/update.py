"""The penalty on the spectrum of the update ``U = scale * B A`` itself, without forming U.

With ``V = fft2(U)`` (norm "ortho", m by n) and phi of the folded frequencies ``min(k, m - k)``,

    ``L = sum_kl (1 - phi(k) phi(l)) |V_kl|^2``.

Since ``fft2(B A) = fft(B, dim 0) fft(A, dim 1)`` and the weight is a sum of products,

    ``1 - phi_k phi_l = rho_k + phi_k rho_l``,   ``rho = 1 - phi``,

both parts of the sum are traces of products of r x r Gram matrices. Write ``x_f`` for the rows of x
filtered by f (``irfft(f rfft(x))``; real and symmetric, since f is), and let ``b = B'``:

    ``L = scale^2 ( <b_rho b', a a'> + <b_phi b', a_rho a'> )``
    ``dL/da = 2 scale^2 ( b_rho b' a + b_phi b' a_rho )``
    ``dL/db = 2 scale^2 ( a a' b_rho + a_rho a' b_phi )``

Both parts are at least 0: nothing cancels (1 - phi phi as a difference of two traces would).
L depends on A and B through B A alone: ``(R A, B R^-1)`` has the same value for every invertible R.
"""

from __future__ import annotations

import torch
from torch import Tensor

from flextune.spectral.operators import spectral_filter


def update_penalty(a: Tensor, b: Tensor, phi_in: Tensor, phi_out: Tensor) -> Tensor:
    """L for scale 1, summed over a batch, differentiable.

    Args:
        a: Down-projections, shape ``(batch, rank, in)``.
        b: Transposed up-projections, shape ``(batch, rank, out)``.
        phi_in: Shape ``(in // 2 + 1,)``.
        phi_out: Shape ``(out // 2 + 1,)``.
    """
    a_high, b_high, b_low = spectral_filter(a, 1 - phi_in), *_split(b, phi_out)
    return ((b_high @ b.mT) * (a @ a.mT) + (b_low @ b.mT) * (a_high @ a.mT)).sum()


def update_gradients(a: Tensor, b: Tensor, phi_in: Tensor, phi_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """L for scale 1, summed over a batch, and its gradients with respect to a and b; no graph.

    Two transforms each way and six products with r rows or columns, whatever the batch.
    """
    a_high, b_high, b_low = spectral_filter(a, 1 - phi_in), *_split(b, phi_out)
    gram_a, gram_a_high = a @ a.mT, a_high @ a.mT
    gram_b_high, gram_b_low = b_high @ b.mT, b_low @ b.mT
    value = (gram_b_high * gram_a + gram_b_low * gram_a_high).sum()
    grad_a = 2 * torch.baddbmm(gram_b_high @ a, gram_b_low, a_high)
    grad_b = 2 * torch.baddbmm(gram_a @ b_high, gram_a_high, b_low)
    return value, grad_a, grad_b


def block_proximal(
    x: Tensor,
    held: Tensor,
    phi: Tensor,
    phi_held: Tensor,
    step: float,
    fixed: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """``argmin_u |u - x|^2 / 2 + step * L(u, held)``: a proximal step on one factor, the other held.

    The joint problem has no closed form (L is of fourth degree in the factors); with one factor held it is
    quadratic. L is symmetric in its factors, so x may be a or b. At frequency l of x the condition is
    ``(M + rho_l N) u_l = x_l`` with ``M = 1 + 2 step G_rho``, ``N = 2 step G_phi`` and G the Gram matrices of
    what is held. One basis W with ``W' M W = 1``, ``W' N W = D`` serves every l:
    ``u_l = W (1 + rho_l D)^-1 W' x_l``. Rows that stay as they are add a term that is linear in u, which
    moves x by ``-2 step`` times its gradient.

    Args:
        x: Shape ``(batch, rank, n)``.
        held: Shape ``(batch, rank, m)``.
        phi: Shape ``(n // 2 + 1,)``.
        phi_held: Shape ``(m // 2 + 1,)``.
        step: At least 0.
        fixed: Rows that count in L beside x, and what they are held against: shapes
            ``(batch, others, n)`` and ``(batch, others, m)``.
    """
    high, low = _split(held, phi_held)
    if fixed is not None:
        rows, against = fixed
        pull = high @ against.mT @ rows + low @ against.mT @ spectral_filter(rows, 1 - phi)
        x = x - 2 * step * pull
    identity = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
    factor = torch.linalg.cholesky(identity + 2 * step * _symmetric(high @ held.mT))
    inner = torch.linalg.solve_triangular(factor, 2 * step * _symmetric(low @ held.mT), upper=False)
    inner = torch.linalg.solve_triangular(factor, inner.mT, upper=False)
    values, vectors = torch.linalg.eigh(_symmetric(inner))
    basis = torch.linalg.solve_triangular(factor.mT, vectors, upper=True)
    gains = 1 / (1 + values.clamp(min=0).unsqueeze(-1) * (1 - phi))
    return basis @ spectral_filter(basis.mT @ x, gains)


def _split(x: Tensor, phi: Tensor) -> tuple[Tensor, Tensor]:
    """What rho and phi leave of the rows of x; they add up to x."""
    high = spectral_filter(x, 1 - phi)
    return high, x - high


def _symmetric(matrix: Tensor) -> Tensor:
    """Round-off leaves Gram matrices not quite symmetric, and factorizations read one half only."""
    return (matrix + matrix.mT) / 2
