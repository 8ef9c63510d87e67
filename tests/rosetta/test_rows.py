from __future__ import annotations

import json
from pathlib import Path

import pytest

from flextune.data.multipl_e import problem
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.rosetta.compositions import parse
from flextune.rosetta.rows import rows
from flextune.rosetta.splits import evaluation_set
from flextune.rosetta.wording import variants

REAL = Path(__file__).parents[3] / "shared/data/multipl-e/humaneval-java.jsonl"
MULTIPL_E = {
    "name",
    "language",
    "prompt",
    "doctests",
    "original",
    "prompt_terminology",
    "tests",
    "stop_tokens",
}


def test_fields_are_those_of_multipl_e_and_two_of_ours():
    known = set(json.loads(REAL.read_text().splitlines()[0])) if REAL.is_file() else MULTIPL_E
    assert known == MULTIPL_E
    for language in ("py", "java", "js"):
        assert set(rows(language, limit=1)[0]) == MULTIPL_E | {"lexicon", "reference"}


def test_rows_are_json_and_parse_as_problems():
    found = rows("java", "reserved", limit=20)
    assert json.loads(json.dumps(found)) == found
    problems = [problem(Row(f"rosetta:{i}", row), benchmark="rosetta") for i, row in enumerate(found)]
    assert {item.lexicon for item in problems} == {"reserved"}
    assert len({item.name for item in problems}) == 20
    assert all(item.reference and item.stop for item in problems)


@pytest.mark.parametrize("lexicon", ["base", "reserved"])
def test_every_python_reference_passes_its_tests(lexicon):
    for row in rows("py", lexicon):
        exec(f"{row['prompt']}{row['reference']}\n{row['tests']}", {})


def test_another_answer_fails_the_tests():
    row = rows("py", limit=1)[0]
    with pytest.raises(AssertionError):
        exec(f"{row['prompt']}    return None\n{row['tests']}", {})


@pytest.mark.parametrize("language", ["py", "java", "js"])
def test_rows_of_all_languages_and_lexicons_are_the_same_problems_in_the_same_order(language):
    names = [exercise.composition.name for exercise in evaluation_set()]
    for lexicon in ("base", "reserved"):
        assert [row["name"] for row in rows(language, lexicon)] == names
        assert [row["name"] for row in rows(language, lexicon, limit=7)] == names[:7]


def test_a_prompt_holds_a_description_of_its_own_lexicon():
    for base, reserved in zip(rows("js", "base"), rows("js", "reserved"), strict=True):
        program = parse(base["name"])
        assert sum(text in base["prompt"] for text in variants(program, "base")) == 1
        assert sum(text in reserved["prompt"] for text in variants(program, "reserved")) == 1


def test_a_training_split_can_be_asked_for_too():
    found = rows("py", split="fine-tuning", limit=2)
    assert len(found) == 2
    for row in found:
        exec(f"{row['prompt']}{row['reference']}\n{row['tests']}", {})


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(FlextuneError, match=r"unknown language 'jav', did you mean 'java'\? \(known: .*py"):
        rows("jav")
    with pytest.raises(FlextuneError, match=r"unknown lexicon 'basic'"):
        rows("py", "basic")
    with pytest.raises(FlextuneError, match=r"unknown split 'train'"):
        rows("py", split="train")
