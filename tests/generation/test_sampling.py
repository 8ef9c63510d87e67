from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from flextune.generation.local.sampling import draw, row_seed, sampler, uniforms
from flextune.records import Problem

PROBLEM = Problem("p", "made-up", "py", "", "", lexicon="base")
LOGITS = torch.tensor([0.3, -1.0, 2.0, 1.1, -0.4, 0.0])


def counts_of(draws: torch.Tensor) -> np.ndarray:
    return np.bincount(draws.numpy(), minlength=len(LOGITS))


def test_draws_are_distributed_as_softmax() -> None:
    numbers = uniforms([7], 200_000)[0]
    counts = counts_of(draw(LOGITS.expand(len(numbers), -1), numbers))
    expected = np.exp(LOGITS.numpy()) / np.exp(LOGITS.numpy()).sum()
    assert stats.chisquare(counts, expected * counts.sum(), sum_check=False).pvalue > 0.001


def test_temperature_and_top_p_are_applied_in_this_order() -> None:
    numbers = uniforms([8], 100_000)
    choose = sampler(0.5, 0.9, numbers.T)
    logits = LOGITS.expand(numbers.shape[1], -1)
    counts = counts_of(choose(logits, torch.arange(numbers.shape[1]), 0))
    sharp = np.exp(LOGITS.numpy() / 0.5)
    sharp /= sharp.sum()
    order = np.argsort(-sharp)
    # The smallest set whose mass reaches 0.9, counted by hand.
    kept = order[: int(np.searchsorted(np.cumsum(sharp[order]), 0.9)) + 1]
    assert set(np.flatnonzero(counts)) == set(kept)
    expected = sharp[kept] / sharp[kept].sum()
    assert stats.chisquare(counts[kept], expected * counts.sum(), sum_check=False).pvalue > 0.001


@pytest.mark.parametrize("number", [0.0, 0.5, float(np.nextafter(1.0, 0.0))])
def test_what_is_ruled_out_is_never_drawn(number: float) -> None:
    scores = torch.tensor([[-torch.inf, 1.0, -torch.inf, 1.0, -torch.inf]])
    assert draw(scores, torch.tensor([number], dtype=torch.float64)).item() in (1, 3)


def test_a_row_draws_the_same_alone_and_among_others() -> None:
    together = uniforms([1, 2, 3], 50)
    assert torch.equal(together[1], uniforms([2], 50)[0])
    assert torch.equal(together[1, :20], uniforms([2], 20)[0])


def test_every_part_of_an_answers_name_changes_its_seed() -> None:
    seeds = {
        row_seed(0, PROBLEM, 0),
        row_seed(1, PROBLEM, 0),
        row_seed(0, PROBLEM, 1),
        *(
            row_seed(0, replace(PROBLEM, **change), 0)
            for change in (
                {"name": "q"},
                {"benchmark": "other"},
                {"language": "java"},
                {"lexicon": "reserved"},
                {"lexicon": None},
            )
        ),
    }
    assert len(seeds) == 8
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert row_seed(0, PROBLEM, 0) == row_seed(0, replace(PROBLEM, prompt="x", tests="y"), 0)
