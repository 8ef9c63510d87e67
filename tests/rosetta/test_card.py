from __future__ import annotations

import json

import numpy as np
import pytest

from flextune.rosetta import card as card_module
from flextune.rosetta.card import card, mutants_caught
from flextune.rosetta.splits import evaluation_set


@pytest.mark.slow
def test_the_tests_catch_95_percent_of_one_operation_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_module, "solved_by_retrieval", lambda lexicon, weight: 3)
    counted = card()
    assert counted.mutants > 10_000
    assert 0.95 <= counted.caught / counted.mutants <= 1
    assert counted.operations >= 60
    assert sum(split.problems for split in counted.splits) >= 5000
    assert {line[0].strip() for line in counted.lines()} >= {"operations", "caught by the tests"}
    assert json.loads(json.dumps(counted.as_row()))["retrieved"][0] == {
        "lexicon": "base",
        "weight": "tf-idf",
        "solved": 3,
    }


def test_without_tests_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = evaluation_set()[0]
    caught, different = mutants_caught(exercise, np.random.default_rng(0))
    assert 0 < caught <= different
    monkeypatch.setattr(card_module, "cases", lambda composition, inputs: [])
    assert mutants_caught(exercise, np.random.default_rng(0)) == (0, pytest.approx(different, abs=3))
