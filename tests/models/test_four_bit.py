"""Four bits as bitsandbytes has them."""

from __future__ import annotations

import pytest
import torch

from flextune.errors import FlextuneError
from flextune.models.four_bit import KINDS, FourBit, dequantized, read_state, through_four_bits


@pytest.mark.parametrize("kind", KINDS)
def test_each_block_uses_at_most_sixteen_values_times_its_scale(kind: FourBit) -> None:
    weight = torch.randn(7, 64, generator=torch.Generator().manual_seed(0))
    found = through_four_bits(weight, kind)
    for row, original in zip(found, weight, strict=True):
        assert len(row.unique()) <= 16
        assert row.abs().max() == pytest.approx(float(original.abs().max()), rel=0.02)
    error = (found - weight).norm() / weight.norm()
    assert 0.06 < error < 0.16


def test_a_block_of_known_numbers() -> None:
    """One block: its scale is its own mean, so that eight bits lose nothing."""
    weight = torch.tensor([1.0, -1.0, 0.0, 0.08, 0.12, 0.5, 0.9, -0.65] * 8)
    expected = torch.tensor(
        [
            1.0,
            -1.0,
            0.0,
            0.07958029955625534,
            0.07958029955625534,
            0.44070982933044434,
            1.0,
            -0.6961928009986877,
        ]
    ).repeat(8)
    torch.testing.assert_close(through_four_bits(weight, "nf4"), expected)


def test_zeros_stay_zeros() -> None:
    assert torch.equal(through_four_bits(torch.zeros(3, 50), "nf4"), torch.zeros(3, 50))


def test_packed_codes_are_read_with_nested_scales() -> None:
    """Two codes a byte, the first in the higher half; scale = map[code] * outer + offset."""
    state = {"shape": [2, 64], "blocksize": 64, "nested_blocksize": 256, "nested_offset": 0.5}
    packed = torch.full((64, 1), 0x1F, dtype=torch.uint8)
    side = {
        "quant_map": torch.linspace(0, 1.5, 16),
        "absmax": torch.tensor([0, 2], dtype=torch.uint8),
        "nested_absmax": torch.tensor([10.0]),
        "nested_quant_map": torch.linspace(0, 25.5, 256),
    }
    found = dequantized(packed, state, side)
    scales = torch.tensor([[0.5], [0.2 * 10 + 0.5]])
    torch.testing.assert_close(found, scales * torch.tensor([0.1, 1.5]).repeat(32))


def test_a_state_that_is_none_is_an_error() -> None:
    with pytest.raises(FlextuneError, match=r"file: not what bitsandbytes writes"):
        read_state(torch.tensor([1, 2, 3], dtype=torch.uint8), "file")


def test_bitsandbytes_gives_the_same() -> None:
    functional = pytest.importorskip("bitsandbytes.functional", reason="bitsandbytes is not installed")
    for kind in KINDS:
        weight = 0.02 * torch.randn(128, 256, generator=torch.Generator().manual_seed(1))
        packed, state = functional.quantize_4bit(
            weight, quant_type=kind, compress_statistics=True, blocksize=64
        )
        theirs = functional.dequantize_4bit(packed, state)
        same = (through_four_bits(weight, kind) == theirs).float().mean()
        assert same > 0.99  # where a scale lies between two codes, the order of sums decides
        kept = state.as_dict(packed=True)
        name = f"quant_state.bitsandbytes__{kind}"
        side = {key: value for key, value in kept.items() if key != name}
        assert torch.equal(dequantized(packed, read_state(kept[name], "x"), side), theirs)
