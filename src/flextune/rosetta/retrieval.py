"""How far a solver comes that answers with the solution of the most similar training description."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix

from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import singles
from flextune.rosetta.splits import Exercise, compositions, evaluation_set
from flextune.rosetta.testing import cases
from flextune.rosetta.wording import FRAMES, Lexicon, fixed_description, variants

Weight = Literal["tf-idf", "token sets"]


def solved_by_retrieval(lexicon: Lexicon, weight: Weight) -> int:
    """Evaluation problems that the nearest training solution passes.

    It knows all that a model may have seen in that wording: the fine-tuning set, and in base wording the
    pretraining set and every single operation too.

    Args:
        lexicon: Wording of all descriptions.
        weight: What makes two descriptions similar: the cosine of TF-IDF vectors, or of sets of words.
    """
    seen = list(compositions("fine-tuning", 2))
    if lexicon == "base":
        seen += [*singles(), *compositions("pretraining")]
    known = [(text, program) for program in seen for text in _in_first_frame(program, lexicon)]
    problems = evaluation_set()
    asked = [fixed_description(exercise.composition, lexicon) for exercise in problems]
    best = nearest(asked, [text for text, _ in known], weight)
    return sum(_passes(known[i][1], exercise) for i, exercise in zip(best, problems, strict=True))


def nearest(queries: Sequence[str], texts: Sequence[str], weight: Weight) -> list[int]:
    """Index of the most similar text for each query."""
    words = sorted({word for text in texts for word in re.findall(r"\w+", text.lower())})
    vocabulary = {word: column for column, word in enumerate(words)}
    known, asked = _term_matrix(texts, vocabulary), _term_matrix(queries, vocabulary)
    scale = np.ones(len(words))
    if weight == "tf-idf":
        scale = np.log(len(texts) / np.asarray(known.sum(axis=0)).ravel())
    known, asked = known.multiply(scale).tocsr(), asked.multiply(scale).tocsr()
    norms = np.sqrt(np.asarray(known.multiply(known).sum(axis=1)).ravel())
    similarity = (asked @ known.T).toarray() / norms
    return [int(best) for best in similarity.argmax(axis=1)]


def _term_matrix(texts: Sequence[str], vocabulary: dict[str, int]) -> csr_matrix:
    """Which words of the vocabulary occur in which text."""
    cells = [
        (row, vocabulary[word])
        for row, text in enumerate(texts)
        for word in set(re.findall(r"\w+", text.lower()))
        if word in vocabulary
    ]
    rows, columns = zip(*cells, strict=True)
    return csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(texts), len(vocabulary)))


def _in_first_frame(program: Composition, lexicon: Lexicon) -> list[str]:
    """All wordings; the frame around them says nothing about the program."""
    texts = list(variants(program, lexicon))
    return texts[: len(texts) // len(FRAMES[len(program.steps)])]


def _passes(program: Composition, exercise: Exercise) -> bool:
    try:
        return all(
            program(given) == expected for given, expected in cases(exercise.composition, exercise.inputs)
        )
    except Exception:
        return False
