from __future__ import annotations

import math

import numpy as np
import pytest

from flextune.records import Outcome, Score
from flextune.statistics.summary import estimate

SEED = 5


def sampled(chances: np.ndarray, samples: int, rng: np.random.Generator) -> Score:
    words: tuple[Outcome, Outcome] = ("wrong_answer", "passed")
    table = rng.random((len(chances), samples)) < chances[:, None]
    outcomes = {f"p{i:03}": [words[bool(x)] for x in row] for i, row in enumerate(table)}
    return Score("a", "b", "py", None, "sample", {"0": outcomes})


def metric(score: Score, name: str):
    return next((e for e in estimate(score).estimates if e.metric == name), None)


@pytest.mark.parametrize("samples", [2, 5, 8])
@pytest.mark.parametrize("shape", [(0.3, 1.0), (0.1, 3.0), (2.0, 2.0)])
def test_bounds_from_few_samples_hold_the_true_pass_at_10(samples: int, shape: tuple[float, float]) -> None:
    rng = np.random.default_rng(SEED)
    missed, repeats = 0, 60
    for _ in range(repeats):
        found = metric(sampled(rng.beta(*shape, size=80), samples, rng), "pass@10")
        a, b = shape
        # Of problems like these: the mean of 1 - (1 - p)^10 under their distribution.
        truth = 1 - math.prod((b + i) / (a + b + i) for i in range(10))
        # Bounds that reach 1 are not shown; they miss nothing.
        missed += found is not None and not found.low <= truth <= found.high
    assert missed / repeats <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / repeats), f"seed {SEED}: {missed}"


def test_bounds_have_no_value_and_say_what_they_are() -> None:
    rng = np.random.default_rng(SEED)
    found = metric(sampled(np.full(60, 0.05), 5, rng), "pass@10")
    assert math.isnan(found.value)
    assert found.method == "bounds from 5 samples"
    assert 0 < found.low < found.high < 1


def test_one_sample_has_no_bounds_and_enough_samples_need_none() -> None:
    rng = np.random.default_rng(SEED)
    assert metric(sampled(np.full(30, 0.5), 1, rng), "pass@10") is None
    assert metric(sampled(np.full(30, 0.1), 10, rng), "pass@10").method == "Wilson, over problems"


def test_no_pass_at_all_is_no_proof_of_none() -> None:
    found = metric(sampled(np.zeros(40), 5, np.random.default_rng(SEED)), "pass@10")
    assert found.low == 0
    assert found.high > 0.05
