"""Divergences of next-token distributions, against the definition in float64."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from flextune.audit.merging.tokens import Text, compare_tokens, distributions

TEXTS = [Text("a", (1, 2, 3, 4), 2), Text("b", (5, 6), 2)]


def model(seed: int, size: float = 1.0) -> dict[int, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {len(t.ids): size * torch.randn(len(t.ids), 11, generator=generator) for t in TEXTS}


def logits_of(tensors: dict[int, torch.Tensor]) -> object:
    def logits(ids: Sequence[int]) -> torch.Tensor:
        return tensors[len(ids)]

    return logits


def test_every_token_after_the_prompt_counts_and_what_follows_the_last() -> None:
    found = distributions(TEXTS, logits_of(model(0)))  # type: ignore[arg-type]
    assert [tuple(rows.shape) for rows in found.logs] == [(3, 11), (1, 11)]


@pytest.mark.parametrize("size", [1.0, 1e-4])
def test_divergence_is_that_of_the_definition(size: float) -> None:
    first = model(0)
    noise = model(9, size)
    second = {key: rows + noise[key] for key, rows in first.items()}
    third = model(2)
    unmerged, merged, base = (distributions(TEXTS, logits_of(m)) for m in (first, second, third))  # type: ignore[arg-type]
    audit = compare_tokens(unmerged, merged, base)
    rows = [(first[4][1:], second[4][1:]), (first[2][1:], second[2][1:])]
    p = torch.cat([a for a, _ in rows]).double().log_softmax(-1)
    q = torch.cat([b for _, b in rows]).double().log_softmax(-1)
    kl = (p.exp() * (p - q)).sum(-1)
    assert audit.tokens == 4
    assert audit.kl == pytest.approx(float(kl.mean()), rel=1e-3)
    assert audit.kl_max == pytest.approx(float(kl.max()), rel=1e-3)
    assert audit.top1 == float((p.argmax(-1) == q.argmax(-1)).double().mean())
    assert audit.lost == pytest.approx(audit.kl / audit.effect)


def test_the_same_model_has_no_divergence() -> None:
    found = distributions(TEXTS, logits_of(model(0)))  # type: ignore[arg-type]
    audit = compare_tokens(found, found, found)
    assert (audit.kl, audit.kl_max, audit.top1, audit.effect) == (0, 0, 1, 0)
    assert audit.lost != audit.lost


def test_tokens_that_are_ruled_out() -> None:
    first, second = model(0), model(0)
    for rows in (*first.values(), *second.values()):
        rows[:, 3] = -torch.inf
    second[4][:, 4] = -torch.inf
    unmerged, merged = (distributions(TEXTS, logits_of(m)) for m in (first, second))  # type: ignore[arg-type]
    audit = compare_tokens(unmerged, merged, merged)
    assert audit.kl == float("inf")
    assert compare_tokens(unmerged, unmerged, merged).kl == 0
