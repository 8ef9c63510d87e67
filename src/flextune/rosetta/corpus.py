"""Pretraining text of the embedded base model: Rosetta programs in full, in base wordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import accumulate

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flextune.errors import FlextuneError
from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import by_operation, singles
from flextune.rosetta.examples import STYLES, asserts, prompt, python_code
from flextune.rosetta.languages import LANGUAGES
from flextune.rosetta.rows import known_language
from flextune.rosetta.splits import compositions
from flextune.rosetta.testing import some_cases
from flextune.rosetta.wording import describe

#: Shares of the languages, and of programs of one, two and three steps.
SHARES: Mapping[str, float] = {"py": 0.7, "java": 0.18, "js": 0.12}
LENGTHS: Mapping[int, float] = {1: 0.12, 2: 0.68, 3: 0.2}

#: Share of the Python documents in the form in which MBPP is trained on: text, tests, code.
PAPER = 0.06


def pretraining_texts(
    seed: int,
    documents: int,
    shares: Mapping[str, float] = SHARES,
    *,
    lengths: Mapping[int, float] = LENGTHS,
    paper: float = PAPER,
) -> Iterator[str]:
    """Documents of the pretraining split; the same arguments give the same texts.

    An operation is drawn first, then a program that uses it: operations that fit in few places are seen
    as often as the others.

    Args:
        seed: Decides everything that is drawn.
        documents: How many.
        shares: Language -> weight of its documents.
        lengths: Number of steps -> weight of such programs.
        paper: Share of the Python documents in MBPP's training form.

    Raises:
        FlextuneError: For an unknown language, or when no weight is positive.
    """
    languages = [known_language(name).name for name in shares]
    rng = np.random.default_rng(seed)
    language_at, length_at = _ladder(shares.values()), _ladder(lengths.values())
    programs = [_programs(steps) for steps in lengths]
    for _ in range(documents):
        language = languages[int(language_at.searchsorted(rng.random(), side="right"))]
        groups = programs[int(length_at.searchsorted(rng.random(), side="right"))]
        group = groups[int(rng.integers(len(groups)))]
        program = group[int(rng.integers(len(group)))]
        if language == "py" and rng.random() < paper:
            yield _paper_document(program, rng)
        else:
            yield _document(program, language, rng)


def _document(program: Composition, language: str, rng: Generator) -> str:
    style = STYLES[int(rng.integers(len(STYLES)))]
    return prompt(program, describe(program, "base", rng), LANGUAGES[language]) + _answer(
        program, language, style
    )


def _paper_document(program: Composition, rng: Generator) -> str:
    tests = "".join(f"# {line}\n" for line in asserts(some_cases(program, rng)))
    code = python_code(program, STYLES[int(rng.integers(len(STYLES)))])
    return f"{describe(program, 'base', rng)}\n\n{tests}\n{code}"


@cache
def _answer(program: Composition, language: str, style: int) -> str:
    written = LANGUAGES[language]
    return written.body(program.steps, style) + written.closing


def _programs(steps: int) -> list[tuple[Composition, ...]]:
    """Programs of so many steps that may be seen, grouped by operation."""
    return by_operation(singles() if steps == 1 else compositions("pretraining", steps))


def _ladder(weights: Iterable[float]) -> NDArray[np.float64]:
    """Upper ends of the weights' parts of [0, 1)."""
    ends = np.fromiter(accumulate(weights), dtype=float)
    if not len(ends) or ends[-1] <= 0:
        raise FlextuneError("rosetta: the shares of the corpus need a positive weight")
    # The last end is above every draw, whatever rounding does.
    return np.append(ends[:-1] / ends[-1], 1.0)
