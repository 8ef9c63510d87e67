from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from flextune.rosetta.compositions import singles
from flextune.rosetta.retrieval import Weight, nearest, solved_by_retrieval
from flextune.rosetta.splits import compositions, evaluation_set
from flextune.rosetta.wording import Lexicon, fixed_description


@pytest.mark.parametrize("lexicon", ["base", "reserved"])
@pytest.mark.parametrize("weight", get_args(Weight))
@pytest.mark.slow
def test_the_nearest_training_solution_passes_under_ten_percent(lexicon: Lexicon, weight: Weight) -> None:
    assert solved_by_retrieval(lexicon, weight) < 0.10 * len(evaluation_set())


@pytest.mark.parametrize("weight", get_args(Weight))
def test_a_description_that_is_there_is_found(weight: Weight) -> None:
    programs = [*singles(), *compositions("fine-tuning", 2)[:300]]
    texts = [fixed_description(program, "base") for program in programs]
    asked = [fixed_description(exercise.composition, "base") for exercise in evaluation_set()]
    best = nearest(asked, texts + asked, weight)
    assert np.mean([place >= len(texts) for place in best]) > 0.9
