from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from flextune.rosetta.inputs import BLOCK, draw, pool
from flextune.rosetta.operations import KINDS


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def many(kind, rng):
    return [draw(kind, rng) for _ in range(500)]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_generators_draw_equal_inputs(kind):
    assert draw(kind, np.random.default_rng(8)) == draw(kind, np.random.default_rng(8))
    assert len(pool(kind, 0)) == BLOCK
    assert pool(kind, 0) != pool(kind, 1)


def test_integers_are_plain_and_mostly_between_1_and_500(rng):
    values = many("int", rng)
    assert {type(value) for value in values} == {int}
    assert np.mean([1 <= value <= 500 for value in values]) > 0.8
    assert 0 in values
    assert max(values) > 1000


def test_lists_have_zeros_repeats_and_equal_neighbours(rng):
    lists = many("ints", rng)
    assert {len(values) for values in lists} == set(range(9))
    assert np.mean([0 in values for values in lists]) > 0.2
    assert np.mean([len(set(values)) < len(values) for values in lists]) > 0.4
    assert np.mean([any(a == b for a, b in pairwise(v)) for v in lists]) > 0.3
    assert all(-9 <= value <= 20 for values in lists for value in values)


def test_texts_are_one_to_four_words_with_single_spaces(rng):
    texts = many("text", rng)
    assert all(re.fullmatch(r"[A-Za-z0-9]+( [A-Za-z0-9]+){0,3}", text) for text in texts)
    assert np.mean([bool(re.search(r"([a-zA-Z0-9])\1", text)) for text in texts]) > 0.4
    assert np.mean([bool(re.search(r"\d", text)) for text in texts]) > 0.3
    assert np.mean([text != text.lower() for text in texts]) > 0.3


def test_lists_of_words_hold_duplicates_and_no_empty_word(rng):
    lists = many("words", rng)
    assert np.mean([len(set(words)) < len(words) for words in lists]) > 0.3
    assert all(re.fullmatch("[a-z]+", word) for words in lists for word in words)
    assert [] in lists


def test_maps_have_one_to_six_keys_and_small_values(rng):
    maps = many("counts", rng)
    assert {len(counts) for counts in maps} == set(range(1, 7))
    assert {value for counts in maps for value in counts.values()} == set(range(10))
