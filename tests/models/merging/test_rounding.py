"""Stochastic rounding: only neighbours, right on average, and the same for the same seed."""

from __future__ import annotations

import pytest
import torch

from flextune.errors import FlextuneError
from flextune.models.merging.rounding import Rounding, stochastic

DTYPES = [torch.bfloat16, torch.float16]


def numbers(count: int = 20_000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return 0.02 * torch.randn(count, generator=generator)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_becomes_one_of_its_two_neighbours(dtype: torch.dtype) -> None:
    x = numbers()
    rounded = stochastic(x, dtype, 1)
    near = x.to(dtype)
    step = torch.finfo(dtype).eps * x.abs() + torch.finfo(dtype).tiny
    assert ((rounded.float() - x).abs() <= step).all()
    assert 0.2 < (rounded != near).float().mean() < 0.3


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_mean_is_the_number(dtype: torch.dtype) -> None:
    """A tenth of a step up is taken by a tenth of the numbers."""
    one = torch.ones(40_000)
    x = one * (1 + 0.1 * torch.finfo(dtype).eps)
    moved = (stochastic(x, dtype, 3).float() > 1).float().mean()
    assert moved == pytest.approx(0.1, abs=0.01)
    assert torch.equal(stochastic(one, dtype, 3).float(), one)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_of_the_type_stay(dtype: torch.dtype) -> None:
    x = torch.cat([numbers(100).to(dtype), torch.zeros(3, dtype=dtype), -torch.ones(1, dtype=dtype)])
    assert torch.equal(stochastic(x.float(), dtype, 0), x)


def test_signs_and_zero() -> None:
    tiny = torch.finfo(torch.float16).smallest_normal * 2**-12
    x = torch.tensor([tiny, -tiny]).repeat(2_000)
    rounded = stochastic(x, torch.float16, 0).float()
    assert (rounded[0::2] >= 0).all()
    assert (rounded[1::2] <= 0).all()
    assert rounded.abs().mean() == pytest.approx(tiny, rel=0.2)


def test_the_seed_and_the_name_decide() -> None:
    x = numbers(500)
    same = [Rounding("stochastic", 1).of(x, torch.bfloat16, "a") for _ in range(2)]
    assert torch.equal(*same)
    assert not torch.equal(same[0], Rounding("stochastic", 2).of(x, torch.bfloat16, "a"))
    assert not torch.equal(same[0], Rounding("stochastic", 1).of(x, torch.bfloat16, "b"))


@pytest.mark.parametrize("how", ["nearest", "stochastic"])
def test_a_number_too_large_for_the_type_is_an_error(how: str) -> None:
    rounding = Rounding(how)  # type: ignore[arg-type]
    with pytest.raises(FlextuneError, match=r"w holds 70000, too large for float16"):
        rounding.of(torch.tensor([1.0, -70_000.0]), torch.float16, "w")
