"""Attention that works text by text in a row of several: FlashAttention, or torch's own kernel for it.

SDPA has to be given a mask of tokens x tokens for such a row; these are given where each text begins.
"""

from __future__ import annotations

import importlib.util
import inspect
from typing import Any

import torch
from torch import Tensor

#: Our name for torch's kernel among transformers' attention functions.
VARLEN = "flextune_varlen"
FLASH = "flash_attention_2"

_HALF = (torch.float16, torch.bfloat16)


def by_segments(device: torch.device, dtype: torch.dtype) -> str | None:
    """The attention function that works text by text here; None where there is none.

    Args:
        device: Of the model.
        dtype: In which attention is computed.
    """
    # The kernels know half precision alone.
    if device.type != "cuda" or dtype not in _HALF:
        return None
    if importlib.util.find_spec("flash_attn") is not None:
        return FLASH
    if importlib.util.find_spec("torch.nn.attention.varlen") is not None:
        register()
        return VARLEN
    return None


def register() -> None:
    """Make ``VARLEN`` known to transformers; its mask function is FlashAttention's, which makes none."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import flash_attention_mask

    AttentionInterface.register(VARLEN, varlen_attention)
    AttentionMaskInterface.register(VARLEN, flash_attention_mask)


def varlen_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each text of a row (``torch.nn.attention.varlen``), for transformers.

    Args:
        module: The attention layer.
        query: ``(1, heads, tokens, head_dim)``.
        key: The same, perhaps with fewer heads.
        value: As the keys.
        attention_mask: None.
        dropout: 0: the kernel has none.
        scaling: Of the scores; None: ``head_dim ** -0.5``.
        sliding_window: Tokens that a token sees, itself included; None: all before it.
        **kwargs: ``cu_seq_lens_q`` and ``max_length_q`` say where texts begin, and how long the longest is.

    Returns:
        ``(1, tokens, heads, head_dim)``, and no weights.

    Raises:
        ValueError: Anything that the kernel does not do, by its name; without ``cu_seq_lens_q`` texts
            would see one another.
    """
    ends, longest = kwargs.get("cu_seq_lens_q"), kwargs.get("max_length_q")
    refused = {
        "an attention mask": attention_mask is not None,
        "dropout of attention weights": dropout > 0,
        "softcap": kwargs.get("softcap") is not None,
        "attention sinks": kwargs.get("s_aux") is not None,
        "a batch that does not say where its texts begin": ends is None,
    }
    for what, asked in refused.items():
        if asked:
            raise ValueError(f"{VARLEN} does not know {what}")
    wide = query.dtype
    dtype = wide if wide in _HALF else _half_dtype(query)
    q, k, v = (part.transpose(1, 2).squeeze(0).to(dtype) for part in (query, key, value))
    out = _kernel(q, k, v, ends, longest, scaling, sliding_window)
    return out[None].to(wide), None


def _half_dtype(query: Tensor) -> torch.dtype:
    kind = query.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.bfloat16


def _kernel(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    ends: Any,
    longest: Any,
    scale: float | None,
    sliding_window: int | None,
) -> Tensor:
    """torch's ``varlen_attn``, whose arguments changed in 2.12."""
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    options: dict[str, Any] = {}
    if "window_size" in known:
        options["window_size"] = (-1 if sliding_window is None else sliding_window - 1, 0)
    elif sliding_window is not None and sliding_window < longest:
        raise ValueError(f"{VARLEN} knows no sliding window before torch 2.12")
    else:
        options["is_causal"] = True
    heads, shared = query.shape[1], key.shape[1]
    if heads != shared and "enable_gqa" in known:
        options["enable_gqa"] = True
    elif heads != shared:
        key, value = (part.repeat_interleave(heads // shared, dim=1) for part in (key, value))
    if scale is not None and "scale" in known:
        options["scale"] = scale
    elif scale is not None:
        query = query * (scale * query.shape[-1] ** 0.5)
    result: Any = varlen_attn(query, key, value, ends, ends, longest, longest, **options)
    return result
