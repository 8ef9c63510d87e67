from __future__ import annotations

import ast
import re
from itertools import islice

import pytest

from flextune.data import mbpp
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.rosetta.compositions import singles
from flextune.rosetta.corpus import pretraining_texts
from flextune.rosetta.operations import OPERATIONS
from flextune.rosetta.splits import compositions, evaluation_set
from flextune.rosetta.wording import variants

DOCUMENTS = 6000


@pytest.fixture(scope="module")
def corpus() -> list[str]:
    return list(pretraining_texts(0, DOCUMENTS))


def language(text: str) -> str:
    heads = (("import java", "java"), ("// ", "js"), ("def ", "py"))
    return next((name for head, name in heads if text.startswith(head)), "paper")


def description(text: str) -> str:
    found = re.search(r'(?:"""|// |\A)([A-Z][^\n]*\.)\n', text)
    assert found, text
    return found[1]


def test_the_same_seed_gives_the_same_texts(corpus):
    assert list(islice(pretraining_texts(0, DOCUMENTS), 100)) == corpus[:100]
    assert list(pretraining_texts(1, 100)) != corpus[:100]


def test_languages_come_in_their_shares(corpus):
    shares = {name: sum(language(text) == name for text in corpus) / DOCUMENTS for name in ("java", "js")}
    assert shares["java"] == pytest.approx(0.18, abs=0.02)
    assert shares["js"] == pytest.approx(0.12, abs=0.02)
    assert {language(text) for text in pretraining_texts(0, 200, {"js": 1.0})} == {"js"}


def test_every_document_describes_a_program_of_the_pretraining_split_or_of_one_step(corpus):
    allowed = {
        text for program in (*compositions("pretraining"), *singles()) for text in variants(program, "base")
    }
    assert {description(text) for text in corpus} <= allowed


def test_no_reserved_wording_occurs(corpus):
    text = "\n".join(corpus).lower()
    patterns = [
        re.escape(wording).replace(r"\{k\}", r"\d+")
        for operation in OPERATIONS.values()
        for wording in operation.reserved
    ]
    assert [pattern for pattern in patterns if re.search(pattern, text)] == []


def test_no_evaluated_description_occurs(corpus):
    evaluated = {text for exercise in evaluation_set() for text in variants(exercise.composition, "base")}
    assert evaluated.isdisjoint(map(description, corpus))


def test_every_operation_is_seen_often(corpus):
    text = "\n".join(corpus).lower()
    for operation in OPERATIONS.values():
        patterns = [re.escape(wording).replace(r"\{k\}", r"\d+") for wording in operation.base]
        assert sum(len(re.findall(pattern, text)) for pattern in patterns) >= 20, operation.name


def test_python_documents_are_programs(corpus):
    python = [text for text in corpus if language(text) == "py"]
    assert len(python) > 3000
    for text in python:
        (function,) = ast.parse(text).body
        assert isinstance(function, ast.FunctionDef)


def test_documents_in_the_papers_form_are_what_mbpp_rows_become():
    for text in islice(pretraining_texts(0, 50, {"py": 1.0}, paper=1.0), 50):
        said, tests, code = text.split("\n\n")
        checks = [line.removeprefix("# ") for line in tests.split("\n")]
        fields = {"task_id": 1, "text": said, "code": code, "test_list": checks}
        (example,) = mbpp.examples(mbpp.parse([Row("here:1", fields)]), "paper")
        assert example.prompt + example.completion == text
        exec("\n".join([code, *checks]), {})


def test_bad_shares_are_refused():
    with pytest.raises(FlextuneError, match="unknown language 'cobol'"):
        list(pretraining_texts(0, 1, {"cobol": 1.0}))
    with pytest.raises(FlextuneError, match="positive weight"):
        list(pretraining_texts(0, 1, {"py": 0.0}))
