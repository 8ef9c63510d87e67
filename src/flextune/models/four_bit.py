"""Weights in four bits as bitsandbytes keeps them (QLoRA, arXiv:2305.14314), in plain torch.

A weight is cut into blocks. A block has a scale, its largest absolute value, and each entry is the nearest of
16 values times that scale. The scales themselves are kept in eight bits in the same way ("double
quantisation").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from flextune.errors import FlextuneError

if TYPE_CHECKING:
    from torch import Tensor

FourBit = Literal["nf4", "fp4"]
KINDS: tuple[FourBit, ...] = get_args(FourBit)

#: Entries that share a scale, and scales that share one.
BLOCK, NESTED_BLOCK = 64, 256

#: Quantiles of the normal distribution (QLoRA, appendix E), and floats with two bits of exponent and one of
#: mantissa, in the order of their codes.
_CODES: dict[str, tuple[float, ...]] = {
    "nf4": (
        -1.0,
        -0.6961928009986877,
        -0.5250730514526367,
        -0.39491748809814453,
        -0.28444138169288635,
        -0.18477343022823334,
        -0.09105003625154495,
        0.0,
        0.07958029955625534,
        0.16093020141124725,
        0.24611230194568634,
        0.33791524171829224,
        0.44070982933044434,
        0.5626170039176941,
        0.7229568362236023,
        1.0,
    ),
    "fp4": (
        0.0,
        0.0052083333,
        0.6666666667,
        1.0,
        0.3333333333,
        0.5,
        0.1666666667,
        0.25,
        -0.0,
        -0.0052083333,
        -0.6666666667,
        -1.0,
        -0.3333333333,
        -0.5,
        -0.1666666667,
        -0.25,
    ),
}

#: What lies beside ``X.weight`` in a file.
SIDE_TENSORS = ("absmax", "quant_map", "nested_absmax", "nested_quant_map")
_STATE = "quant_state.bitsandbytes__"


def through_four_bits(weight: Tensor, kind: FourBit) -> Tensor:
    """A weight as a model sees it that was loaded in four bits, double quantisation included.

    Args:
        weight: Any shape.
        kind: The 16 values: ``nf4`` or ``fp4``.

    Returns:
        float32, the same shape.
    """
    import torch

    codes = torch.tensor(_CODES[kind])
    flat = weight.detach().float().reshape(-1)
    blocks = torch.nn.functional.pad(flat, (0, -flat.numel() % BLOCK)).reshape(-1, BLOCK)
    scales = blocks.abs().amax(1)
    # As there: times the reciprocal, which decides where an entry lies in the middle of two values.
    values = _nearest(blocks * (1 / scales.clamp(min=1e-38))[:, None], codes)
    return (values * _through_eight_bits(scales)[:, None]).reshape(-1)[: flat.numel()].reshape(weight.shape)


def is_side_tensor(name: str) -> bool:
    """Whether a tensor of a file belongs to a weight in four bits: its scales, its values, its state."""
    weight, _, part = name.rpartition("weight.")
    return bool(weight) and (part in SIDE_TENSORS or part.startswith(_STATE))


def state_of(name: str, names: Mapping[str, object]) -> str | None:
    """The name of the tensor that says how a weight is kept in four bits; None where it is kept as it is."""
    return next((f"{name}.{_STATE}{kind}" for kind in KINDS if f"{name}.{_STATE}{kind}" in names), None)


def read_state(tensor: Tensor, where: str) -> dict[str, object]:
    """What such a tensor says, JSON in bytes.

    Raises:
        FlextuneError: It says something else.
    """
    try:
        state = json.loads(bytes(tensor.tolist()))
        if not isinstance(state, dict) or not {"shape", "blocksize"} <= set(state):
            raise ValueError
    except ValueError:
        raise FlextuneError(f"{where}: not what bitsandbytes writes; fetch the model again") from None
    return state


def dequantized(packed: Tensor, state: Mapping[str, object], side: Mapping[str, Tensor]) -> Tensor:
    """A weight that a file keeps in four bits.

    Args:
        packed: Two codes a byte, the first in the higher half.
        state: ``read_state``.
        side: ``absmax``, ``quant_map`` and, under double quantisation, ``nested_absmax`` and
            ``nested_quant_map``.

    Returns:
        float32, of the state's shape.
    """
    import torch

    codes = packed.reshape(-1).to(torch.int64)
    values = side["quant_map"].float()[torch.stack((codes >> 4, codes & 15), dim=1).reshape(-1)]
    scales = side["absmax"]
    if "nested_absmax" in side:
        nested = int(str(state["nested_blocksize"]))
        outer = side["nested_absmax"].float().repeat_interleave(nested)[: scales.numel()]
        scales = side["nested_quant_map"].float()[scales.reshape(-1).to(torch.int64)] * outer
        scales = scales + float(str(state["nested_offset"]))
    shape = [int(length) for length in state["shape"]]  # type: ignore[attr-defined]
    block = int(str(state["blocksize"]))
    return (values * scales.float().repeat_interleave(block)[: values.numel()]).reshape(shape)


def _through_eight_bits(scales: Tensor) -> Tensor:
    """Scales as double quantisation keeps them: their distance from the mean, in blocks of eight bits."""
    import torch

    mean = scales.mean()
    rest = scales - mean
    blocks = torch.nn.functional.pad(rest, (0, -rest.numel() % NESTED_BLOCK)).reshape(-1, NESTED_BLOCK)
    outer = blocks.abs().amax(1)
    values = _nearest(blocks * (1 / outer.clamp(min=1e-38))[:, None], _dynamic_map())
    return (values * outer[:, None]).reshape(-1)[: rest.numel()] + mean


@cache
def _dynamic_map() -> Tensor:
    """256 values from -1 to 1: seven powers of ten, each with twice the steps of the one below."""
    import torch

    values = [0.0, 1.0]
    for power in range(7):
        edges = torch.linspace(0.1, 1, 2**power + 1)
        means = (edges[:-1] + edges[1:]) / 2
        values += [float(sign * 10.0 ** (power - 6) * mean) for mean in means for sign in (1, -1)]
    return torch.tensor(sorted(values))


def _nearest(values: Tensor, codes: Tensor) -> Tensor:
    """For each value the nearest code."""
    import torch

    ordered = codes.sort().values
    middles = (ordered[1:] + ordered[:-1]) / 2
    return ordered[torch.bucketize(values.contiguous(), middles)]
