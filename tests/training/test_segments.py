"""Attention text by text through torch's kernel for CUDA, with a plain stand-in for the kernel."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from tests.support.trainings import model_with_adapter, rows

from flextune.models.load import LoadedModel
from flextune.training.batches.flat import FlatCollator
from flextune.training.batches.padded import COUNTED
from flextune.training.batches.segments import VARLEN, by_segments, register, varlen_attention

Call = dict[str, Any]


def attend(query: Any, key: Any, value: Any, ends: torch.Tensor, scale: float | None, window: int) -> Any:
    """Causal attention of each segment by itself; ``window`` tokens back, -1 for all."""
    parts = []
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        q, k, v = (part[start:end].transpose(0, 1) for part in (query, key, value))
        ids = torch.arange(end - start)
        seen = ids[:, None] >= ids
        if window >= 0:
            seen &= ids[:, None] - ids <= window
        grouped = q.shape[0] != k.shape[0]
        parts.append(
            torch.nn.functional.scaled_dot_product_attention(
                q[None], k[None], v[None], attn_mask=seen, scale=scale, enable_gqa=grouped
            )[0].transpose(0, 1)
        )
    return torch.cat(parts)


@pytest.fixture(params=["2.11", "2.12"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In place of ``varlen_attn``, with the arguments of torch 2.11 or those since 2.12."""
    calls: list[str] = []

    def older(q, k, v, cu_seq_q, cu_seq_k, max_q, max_k, is_causal=False):  # type: ignore[no-untyped-def]
        assert is_causal
        assert q.shape[1] == k.shape[1]
        calls.append("older")
        return attend(q, k, v, cu_seq_q, None, -1)

    def newer(  # type: ignore[no-untyped-def]
        q, k, v, cu_seq_q, cu_seq_k, max_q, max_k, *, scale=None, window_size=(-1, -1), enable_gqa=False
    ):
        assert window_size[1] == 0
        assert enable_gqa == (q.shape[1] != k.shape[1])
        calls.append("newer")
        return attend(q, k, v, cu_seq_q, scale, window_size[0])

    module = ModuleType("torch.nn.attention.varlen")
    module.varlen_attn = older if request.param == "2.11" else newer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.nn.attention.varlen", module)
    return calls


def test_it_gives_each_text_the_logits_that_it_has_alone(loaded: LoadedModel, kernel: list[str]) -> None:
    register()
    model = model_with_adapter(loaded).float().eval()
    made = FlatCollator(segments=True)(rows())
    del made[COUNTED]
    with torch.no_grad():
        expected = [model(input_ids=row["input_ids"][None]).logits[0] for row in rows()]
        model.set_attn_implementation(VARLEN)
        together = model(**made).logits[0]
    assert len(kernel) == model.config.num_hidden_layers
    # The kernel computes in bfloat16.
    torch.testing.assert_close(together, torch.cat(expected), rtol=0.05, atol=0.05)
    with pytest.raises(ValueError, match="does not say where its texts begin"):
        model(input_ids=made["input_ids"], position_ids=made["position_ids"], use_cache=False)


def test_heads_that_share_keys_and_a_scale_of_the_model_s_own(kernel: list[str]) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {"q": 4, "k": 2, "v": 2}
    q, k, v = (torch.randn(1, heads, 9, 8, generator=generator).bfloat16() for heads in shapes.values())
    ends = torch.tensor([0, 4, 9], dtype=torch.int32)
    segments: Call = {"cu_seq_lens_q": ends, "max_length_q": 5}
    out, _ = varlen_attention(torch.nn.Identity(), q, k, v, None, scaling=0.7, **segments)
    q, k, v = (part[0].transpose(0, 1).float() for part in (q, k, v))
    expected = attend(q, k, v, ends, 0.7, -1)
    torch.testing.assert_close(out[0].float(), expected, rtol=0.05, atol=0.05)


def test_what_the_kernel_does_not_do_is_refused(kernel: list[str]) -> None:
    q = torch.zeros(1, 2, 3, 8)
    segments: Call = {"cu_seq_lens_q": torch.tensor([0, 3], dtype=torch.int32), "max_length_q": 3}
    asked: dict[str, Call] = {
        "dropout": {"dropout": 0.1, **segments},
        "softcap": {"softcap": 30.0, **segments},
        "sinks": {"s_aux": q, **segments},
        "an attention mask": {"attention_mask": q, **segments},
    }
    for what, options in asked.items():
        mask = options.pop("attention_mask", None)
        with pytest.raises(ValueError, match=what):
            varlen_attention(torch.nn.Identity(), q, q, q, mask, **options)


def test_there_is_no_such_attention_on_a_cpu_or_in_full_precision() -> None:
    assert by_segments(torch.device("cpu"), torch.bfloat16) is None
    assert by_segments(torch.device("cuda"), torch.float32) is None
    assert by_segments(torch.device("cuda"), torch.bfloat16) is not None
