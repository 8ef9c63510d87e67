from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flextune.config import EvaluateConfig, ReplayConfig, TrainConfig, parse_experiment
from flextune.data.origins import recorded_origins
from flextune.errors import FlextuneError
from flextune.registry import BENCHMARKS, TRAINING_SOURCES
from flextune.sources.loading import load_examples, load_problems

HUMANEVAL_ROW = {
    "task_id": "HumanEval/0",
    "prompt": "def f(x):\n",
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
}
MULTIPL_E_ROW = {"name": "a", "language": "js", "prompt": "p", "tests": "t", "stop_tokens": []}


def mbpp_row(number: int) -> dict[str, Any]:
    return {"task_id": number, "text": "Say.", "code": "def f(): pass", "test_list": ["assert f()"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    files: dict[str, list[Any]] = {
        "HumanEval.jsonl": [HUMANEVAL_ROW],
        "humaneval-js.jsonl": [MULTIPL_E_ROW],
        "mbpp.jsonl": [mbpp_row(number) for number in (11, 511, 601, 602)],
    }
    for name, rows in files.items():
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_every_benchmark_and_source_is_registered_under_its_own_name() -> None:
    assert BENCHMARKS.names() == (
        "apps", "humaneval", "humaneval-plus", "mbpp", "multipl-e", "multipl-e-mbpp", "rosetta",
    )  # fmt: skip
    assert TRAINING_SOURCES.names() == (
        "apps", "codesearchnet", "mbpp", "rosetta", "rosetta-apps", "rosetta-codesearchnet",
    )  # fmt: skip
    for registry in (BENCHMARKS, TRAINING_SOURCES):
        assert [entry.name for entry in registry.entries().values()] == list(registry.names())


@pytest.mark.parametrize("spelling", ["py", "python", "Python"])
def test_a_language_may_be_spelled_out(data: Path, spelling: str) -> None:
    part = EvaluateConfig(benchmark="humaneval", language=spelling)
    assert (part.language, part.label) == ("py", "humaneval py")
    assert [problem.name for problem in load_problems(part, data)] == ["HumanEval/0"]


def test_spelling_makes_no_other_experiment() -> None:
    text = "name: x\ntrain: {{data: rosetta, language: {0}}}\nevaluate: [{{language: {0}}}]"
    spelled = [parse_experiment(text.format(name), where="x") for name in ("js", "JavaScript")]
    assert spelled[0] == spelled[1]
    with pytest.raises(FlextuneError, match="'py' is the language of the training"):
        parse_experiment("name: x\ntrain: {replay: {languages: [Python]}}", where="x")
    with pytest.raises(FlextuneError, match="'js' is given twice"):
        parse_experiment("name: x\ntrain: {replay: {languages: [js, JavaScript]}}", where="x")


@pytest.mark.parametrize(
    ("benchmark", "language", "message"),
    [
        (
            "multipl-e",
            "py",
            "multipl-e has no Python; humaneval has its problems in Python (its lang",
        ),
        ("multipl-e-mbpp", "Python", "multipl-e-mbpp has no Python; mbpp has its problems in Python"),
        ("humaneval", "java", "humaneval has no Java; multipl-e has HumanEval in other languages"),
        ("humaneval-plus", "java", "humaneval-plus has no Java; multipl-e has HumanEval, without"),
        ("mbpp", "C++", "mbpp has no C++; multipl-e-mbpp has MBPP in other languages (its languages: py)"),
        ("apps", "ruby", "apps has no Ruby (its languages: py)"),
        ("rosetta", "golang", "rosetta has no Go (its languages: java, js, py)"),
        ("rosetta", "jav", "rosetta: unknown language 'jav', did you mean 'java'? (known: java, js, py)"),
    ],
)
def test_a_language_that_a_benchmark_lacks_is_named(benchmark: str, language: str, message: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        load_problems(EvaluateConfig(benchmark=benchmark, language=language), None)
    assert str(caught.value).startswith(message)


def test_multipl_e_without_a_language_says_that_it_has_no_python() -> None:
    with pytest.raises(
        FlextuneError, match=r"^multipl-e has no Python; humaneval has its problems in Python"
    ):
        load_problems(EvaluateConfig(benchmark="multipl-e"), None)


def test_a_training_source_without_the_language_is_refused(data: Path) -> None:
    with pytest.raises(FlextuneError, match=r"^train\.data mbpp has no Java \(its languages: py\)$"):
        load_examples(TrainConfig(language="java"), data)


def test_what_was_read_is_recorded_by_name(data: Path) -> None:
    with recorded_origins() as origins:
        load_problems(EvaluateConfig(benchmark="humaneval"), data)
        load_problems(EvaluateConfig(benchmark="multipl-e", language="js"), data)
        load_problems(EvaluateConfig(language="js", limit=1), data)
        load_examples(TrainConfig(), data)
        load_problems(EvaluateConfig(benchmark="mbpp"), data)
    assert {name: origin.partition(" sha256:")[0] for name, origin in origins.items()} == {
        "humaneval": "HumanEval.jsonl",
        "multipl-e js": "humaneval-js.jsonl",
        "mbpp": "mbpp.jsonl",
    }
    assert str(data) not in json.dumps(origins)


def test_replayed_lessons_are_the_same_for_every_seed_of_an_experiment(data: Path) -> None:
    train = TrainConfig(replay=ReplayConfig(share=0.5, languages=["js"]))
    first, second = load_examples(train, data), load_examples(train, data)
    assert first == second
    assert [example.name for example in first[0]][:1] == ["MBPP/601"]
