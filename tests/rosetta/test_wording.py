from __future__ import annotations

import re

import numpy as np
import pytest

from flextune.errors import FlextuneError
from flextune.rosetta.compositions import parse
from flextune.rosetta.operations import OPERATIONS
from flextune.rosetta.wording import FRAMES, describe, fixed_description, known_lexicon, variants

BASE = [wording for operation in OPERATIONS.values() for wording in operation.base]
RESERVED = [wording for operation in OPERATIONS.values() for wording in operation.reserved]

#: Words that both lexicons use: some that carry meaning, and the little ones.
SHARED = """
adjacent alternating end halves key long map one places second sequence set take two value
a as at by every for how in into it its most of on than that the to with
"""


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.replace("{k}", "").lower()))


def test_every_reserved_wording_has_a_word_that_no_base_wording_has():
    known = set().union(*map(words, BASE), *(words(frame) for frames in FRAMES.values() for frame in frames))
    assert [wording for wording in RESERVED if words(wording) <= known] == []


def test_the_lexicons_share_no_other_words_than_these():
    known, kept = set().union(*map(words, BASE)), set().union(*map(words, RESERVED))
    assert known & kept == set(SHARED.split())


def test_no_two_operations_on_one_kind_have_the_same_wording():
    said = [
        (operation.takes, wording)
        for operation in OPERATIONS.values()
        for wording in (*operation.base, *operation.reserved)
    ]
    assert len(said) == len(set(said))


def test_every_operation_has_two_base_wordings_or_more_and_a_reserved_one():
    for operation in OPERATIONS.values():
        for wordings, least in ((operation.base, 2), (operation.reserved, 1)):
            assert len(set(wordings)) >= least, operation.name
            assert all(("{k}" in wording) == bool(operation.constants) for wording in wordings), (
                operation.name
            )


def test_a_description_is_one_sentence_with_its_constants():
    program = parse("keep_above_3__total")
    texts = set(variants(program, "base"))
    assert "Keep only the numbers greater than 3, then return the sum of the numbers." in texts
    assert "Select the numbers above 3 and then add up the numbers." in texts
    assert len(texts) == 3 * 2 * 2


def test_descriptions_are_variants_and_the_generator_decides_which():
    program = parse("keep_above_3__total")
    drawn = {describe(program, "reserved", np.random.default_rng(seed)) for seed in range(200)}
    assert drawn == set(variants(program, "reserved"))


def test_the_description_of_a_problem_never_changes():
    # Literal on purpose: scores of different releases compare only as long as the words stay.
    program = parse("keep_above_3__total")
    assert (
        fixed_description(program, "base") == "Keep only the numbers greater than 3, then add up the numbers."
    )
    assert fixed_description(program, "reserved") == "Retain entries exceeding 3 and then tally everything."


def test_an_unknown_lexicon_is_named():
    with pytest.raises(FlextuneError, match=r"unknown lexicon 'new' \(known: base, reserved\)"):
        known_lexicon("new")
