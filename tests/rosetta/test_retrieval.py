from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import singles
from flextune.rosetta.splits import Exercise, compositions, evaluation_set
from flextune.rosetta.testing import cases
from flextune.rosetta.wording import FRAMES, Lexicon, fixed_description, variants


def term_matrix(texts: list[str], vocabulary: dict[str, int]) -> csr_matrix:
    """Which words of the vocabulary occur in which text."""
    cells = [
        (row, vocabulary[word])
        for row, text in enumerate(texts)
        for word in set(re.findall(r"\w+", text.lower()))
        if word in vocabulary
    ]
    rows, columns = zip(*cells, strict=True)
    return csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(texts), len(vocabulary)))


def nearest(queries: list[str], texts: list[str], weight: str) -> list[int]:
    """Index of the most similar text, by the cosine of TF-IDF vectors or of token sets."""
    words = sorted({word for text in texts for word in re.findall(r"\w+", text.lower())})
    vocabulary = {word: column for column, word in enumerate(words)}
    known, asked = term_matrix(texts, vocabulary), term_matrix(queries, vocabulary)
    scale = np.ones(len(words))
    if weight == "tf-idf":
        scale = np.log(len(texts) / np.asarray(known.sum(axis=0)).ravel())
    known, asked = known.multiply(scale).tocsr(), asked.multiply(scale).tocsr()
    norms = np.sqrt(np.asarray(known.multiply(known).sum(axis=1)).ravel())
    similarity = (asked @ known.T).toarray() / norms
    return [int(best) for best in similarity.argmax(axis=1)]


def in_first_frame(program: Composition, lexicon: Lexicon) -> list[str]:
    """All wordings; the frame around them says nothing about the program."""
    texts = list(variants(program, lexicon))
    return texts[: len(texts) // len(FRAMES[len(program.steps)])]


def passes(program: Composition, exercise: Exercise) -> bool:
    try:
        return all(
            program(given) == expected for given, expected in cases(exercise.composition, exercise.inputs)
        )
    except Exception:
        return False


@pytest.mark.parametrize("lexicon", ["base", "reserved"])
@pytest.mark.parametrize("weight", ["tf-idf", "token sets"])
@pytest.mark.slow
def test_the_nearest_training_solution_passes_under_ten_percent(lexicon, weight):
    seen = list(compositions("fine-tuning", 2))
    if lexicon == "base":
        seen += [*singles(), *compositions("pretraining")]
    known = [(text, program) for program in seen for text in in_first_frame(program, lexicon)]
    texts = [text for text, _ in known]
    problems = evaluation_set()
    asked = [fixed_description(exercise.composition, lexicon) for exercise in problems]
    found = nearest(asked, texts, weight)
    solved = sum(passes(known[i][1], exercise) for i, exercise in zip(found, problems, strict=True))
    assert solved < 0.10 * len(problems)
    # The measure itself works: where the problems' own descriptions are there too, it finds those.
    assert np.mean([i >= len(texts) for i in nearest(asked, texts + asked, weight)]) > 0.9
