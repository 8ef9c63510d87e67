from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from flextune.config import DecodeConfig
from flextune.generation.local.choice import Choice
from flextune.generation.local.rows import Row
from flextune.generation.local.sampling import draw, keep_top_p, uniforms
from flextune.generation.seeds import row_seed
from flextune.records import Problem

PROBLEM = Problem("p", "made-up", "py", "", "", lexicon="base")
LOGITS = torch.tensor([0.3, -1.0, 2.0, 1.1, -0.4, 0.0])


def counts_of(draws: torch.Tensor) -> np.ndarray:
    return np.bincount(draws.numpy(), minlength=len(LOGITS))


def test_draws_are_distributed_as_softmax() -> None:
    numbers = uniforms([7], 200_000)[0]
    counts = counts_of(draw(torch.softmax(LOGITS.double(), -1).expand(len(numbers), -1), numbers))
    expected = np.exp(LOGITS.numpy()) / np.exp(LOGITS.numpy()).sum()
    assert stats.chisquare(counts, expected * counts.sum(), sum_check=False).pvalue > 0.001


WARPED = [
    {"temperature": 0.5, "top_p": 0.9},
    {"temperature": 2.0, "top_p": 1.0, "top_k": 3},
    {"temperature": 1.0, "top_p": 0.95, "top_k": 4, "min_p": 0.2},
    {"temperature": 0.7, "top_p": 0.8, "repetition_penalty": 1.7},
    {"temperature": 1.3, "top_p": 1.0, "min_p": 0.05, "repetition_penalty": 0.6},
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", WARPED, ids=str)
def test_a_setting_draws_from_the_distribution_that_transformers_makes_of_it(
    settings: dict[str, float],
) -> None:
    """Its processors, in its order, on the same logits."""
    decode = DecodeConfig(strategy="sample", max_new_tokens=1, **settings)
    prompt = (1, 2, 2)
    rows = [Row(0, PROBLEM, sample, prompt, 1, decode) for sample in range(20_000)]
    # A greedy row among them must not change what the others draw.
    rows[7] = Row(0, PROBLEM, 7, prompt, 1, DecodeConfig(max_new_tokens=1))
    choice = Choice(len(rows), rows, len(LOGITS), torch.device("cpu"))
    choice.admit(rows)
    tokens = choice.choose(LOGITS.expand(len(rows), -1))
    expected = warped(settings, prompt)
    counts = counts_of(torch.cat((tokens[:7], tokens[8:])))
    assert set(np.flatnonzero(counts)) == set(np.flatnonzero(expected))
    kept = expected > 0
    assert stats.chisquare(counts[kept], expected[kept] * counts.sum(), sum_check=False).pvalue > 0.001


def warped(settings: dict[str, float], prompt: tuple[int, ...]) -> np.ndarray:
    """Probabilities by transformers' own processors."""
    import transformers as hf

    processors = hf.LogitsProcessorList()
    if "repetition_penalty" in settings:
        processors.append(hf.RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
    processors.append(hf.TemperatureLogitsWarper(settings["temperature"]))
    if "top_k" in settings:
        processors.append(hf.TopKLogitsWarper(int(settings["top_k"])))
    if settings["top_p"] < 1:
        processors.append(hf.TopPLogitsWarper(settings["top_p"]))
    if "min_p" in settings:
        processors.append(hf.MinPLogitsWarper(settings["min_p"]))
    scores = processors(torch.tensor([prompt]), LOGITS[None].clone())
    return torch.softmax(scores.double(), -1)[0].numpy()


def test_a_nucleus_wider_than_the_likeliest_tokens_is_found_by_sorting() -> None:
    flat = torch.full((2, 500), 1 / 500, dtype=torch.float64) + torch.arange(500).double() * 1e-9
    flat /= flat.sum(-1, keepdim=True)
    kept = keep_top_p(flat, torch.tensor([0.5, 1.0], dtype=torch.float64))
    assert [int((row > 0).sum()) for row in kept] == [pytest.approx(250, abs=1), 500]


@pytest.mark.parametrize("number", [0.0, 0.5, float(np.nextafter(1.0, 0.0))])
def test_what_is_ruled_out_is_never_drawn(number: float) -> None:
    weights = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0]], dtype=torch.float64)
    assert draw(weights, torch.tensor([number], dtype=torch.float64)).item() in (1, 3)


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
