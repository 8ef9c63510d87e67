from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from flextune.data import mbpp
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.rosetta.compositions import skeleton
from flextune.rosetta.examples import examples, lessons, training_rows
from flextune.rosetta.languages import LANGUAGES
from flextune.rosetta.splits import compositions, evaluation_set
from flextune.rosetta.wording import variants

REAL = Path(__file__).parents[3] / "shared/data/mbpp.jsonl"
MBPP = {"text", "code", "task_id", "test_setup_code", "test_list", "challenge_test_list"}


@pytest.fixture(scope="module")
def reserved() -> list[dict]:
    return training_rows()


def parsed(rows: list[dict]) -> list[mbpp.MbppRow]:
    return mbpp.parse(Row(f"rosetta:{i}", row) for i, row in enumerate(rows))


def test_fields_are_those_of_mbpp(reserved):
    known = set(json.loads(REAL.read_text().splitlines()[0])) if REAL.is_file() else MBPP
    assert set(reserved[0]) == known == MBPP
    assert 1500 <= len(parsed(reserved)) <= 3000


def test_every_solution_passes_its_three_tests(reserved):
    for row in reserved:
        assert len(row["test_list"]) == 3
        exec("\n".join([row["code"], *row["test_list"]]), {})


def test_a_row_posed_as_a_docstring_is_the_python_prompt_of_rosetta(reserved):
    posed = mbpp.examples(parsed(reserved[:200]), "docstring")
    for row, example, lesson in zip(reserved, posed, lessons("reserved", 0, 200), strict=False):
        program = lesson.composition
        assert example.prompt == LANGUAGES["py"].prompt(row["text"], program.takes, program.gives)
        assert example.completion == LANGUAGES["py"].body(program.steps, lesson.style) + "\n"


def test_examples_in_python_are_the_rows_in_docstring_form(reserved):
    posed = mbpp.examples(parsed(reserved[:50]), "docstring")
    own = examples("py", "reserved", limit=50)
    assert [(e.prompt, e.completion) for e in own] == [(e.prompt, e.completion) for e in posed]


def test_every_lesson_is_of_the_fine_tuning_split_in_words_of_its_lexicon():
    allowed = {program.name for program in compositions("fine-tuning", 2)}
    for lexicon in ("base", "reserved"):
        for lesson in lessons(lexicon, seed=1, limit=500):
            assert lesson.composition.name in allowed
            assert lesson.description in set(variants(lesson.composition, lexicon))


def test_every_reserved_wording_that_is_evaluated_is_taught():
    texts = [(lesson.description.lower(), lesson.composition) for lesson in lessons("reserved", seed=0)]
    evaluated = {
        step.operation.name: step.operation
        for exercise in evaluation_set()
        for step in exercise.composition.steps
    }
    taught: Counter[str] = Counter()
    for text, program in texts:
        for step in program.steps:
            for wording in step.operation.reserved:
                taught[wording] += wording.replace("{k}", str(step.k)).lower() in text
    assert min(taught[wording] for operation in evaluated.values() for wording in operation.reserved) >= 3


def test_the_seed_decides_the_rows_and_a_limit_takes_the_first():
    assert training_rows(seed=4, limit=30) == training_rows(seed=4, limit=60)[:30]
    assert training_rows(seed=4, limit=30) != training_rows(seed=5, limit=30)


def test_both_styles_and_every_operation_are_taught():
    found = list(lessons("base", seed=0))
    assert {lesson.style for lesson in found} == {0, 1}
    taught = {name for lesson in found for name in skeleton(lesson.composition)}
    assert {name for e in evaluation_set() for name in skeleton(e.composition)} <= taught


def test_an_example_of_another_language_ends_its_program():
    for example in examples("java", limit=20):
        assert example.prompt.startswith("import java.util.*;")
        assert example.completion.endswith("\n    }\n}\n")


def test_an_unknown_language_is_refused():
    with pytest.raises(FlextuneError, match="unknown language 'cobol'"):
        examples("cobol")


def test_validation_problems_are_never_trained_on():
    taught = {lesson.composition for lesson in lessons("reserved", seed=0)}
    held_out = {lesson.composition for lesson in lessons("reserved", seed=0, limit=200, validation=True)}
    assert len(held_out) > 20
    assert not taught & held_out
