from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flextune.config import EvaluateConfig, TrainConfig
from flextune.data.origins import recorded_origins
from flextune.errors import FlextuneError
from flextune.records import Example
from flextune.sources.loading import load_examples, load_problems


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def mine(tmp_path: Path) -> str:
    return write(tmp_path / "mine.jsonl", [{"prompt": f"p{n}", "completion": f"c{n}"} for n in range(40)])


def test_a_path_is_all_that_own_data_needs(mine: str) -> None:
    with recorded_origins() as origins:
        training, validation = load_examples(TrainConfig(data=mine), None)
    assert (len(training), len(validation)) == (36, 4)
    assert Example("mine.jsonl:1", "p0", "c0") in training + validation
    assert origins["mine.jsonl"].startswith("mine.jsonl sha256:")
    assert load_examples(TrainConfig(data=mine, limit=5, validation_size=1), None)[0] == training[:5]


def test_validation_may_be_a_file_of_its_own(mine: str, tmp_path: Path) -> None:
    held = write(tmp_path / "held.jsonl", [{"prompt": "v", "completion": "w"}])
    training, validation = load_examples(TrainConfig(data={"path": mine, "validation": held}), None)
    assert (len(training), [each.prompt for each in validation]) == (40, ["v"])


def test_a_mixture_is_made_of_sources_and_files(mine: str) -> None:
    data = [{"source": "rosetta", "language": "java", "limit": 30}, {"path": mine, "share": 0.25}]
    train = TrainConfig(data=data, lexicon="reserved", format="docstring", validation_size=8)
    training, validation = load_examples(train, None)
    own = [each for each in training if each.name.startswith("mine")]
    assert (len(training), len(own)) == (40, 10)
    assert all("class Problem" in each.prompt for each in training if each not in own)
    assert sum(each.name.startswith("mine") for each in training[:8]) == 2
    assert len(validation) == 8
    assert sum(each.name.startswith("mine") for each in validation) == 2


def test_copies_leave_later_parts_and_never_the_validation(mine: str) -> None:
    train = TrainConfig(data=[mine, mine], validation_size=0)
    assert len(load_examples(train, None)[0]) == 80
    with pytest.raises(FlextuneError, match=r"train\.data mine\.jsonl: no examples left to mix"):
        load_examples(train.model_copy(update={"deduplicate": "exact"}), None)


def test_parallel_programs_are_the_same_problems_in_each_language() -> None:
    train = TrainConfig(
        data={"source": "rosetta", "languages": ["py", "java", "js"]}, format="docstring", limit=60
    )
    training, _ = load_examples(train, None)
    assert len(training) == 60
    for place in range(0, 60, 3):
        python, java, javascript = training[place : place + 3]
        words = python.prompt.partition('"""')[2].partition("\n")[0]
        assert words in java.prompt
        assert words in javascript.prompt
    alone, _ = load_examples(TrainConfig(data="rosetta", language="java", limit=20), None)
    assert [each.prompt for each in training[1::3]] == [each.prompt for each in alone]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"source": "mbpp", "difficulty": ["interview"]},
         "train.data mbpp has no option 'difficulty' (it has: language, format)"),
        ({"path": "MINE", "lexicon": "base"},
         "train.data mine.jsonl has no option 'lexicon' (it has: columns, validation, language)"),
        ({"source": "rosetta-apps", "language": "java"},
         "train.data rosetta-apps has no Java (its languages: py)"),
        ({"path": "MINE", "columns": {"text": "body"}},
         "mine.jsonl:1: no column 'body' (found: prompt, completion)"),
        ("nowhere.jsonl", "nowhere.jsonl: no such file or folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_one_line(mine: str, data: Any, message: str) -> None:
    if isinstance(data, dict) and data.get("path") == "MINE":
        data = {**data, "path": mine}
    with pytest.raises(FlextuneError) as caught:
        load_examples(TrainConfig(data=data), None)
    assert str(caught.value) == message


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"train\.data empty\.jsonl: no rows in it"):
        load_examples(TrainConfig(data=write(tmp_path / "empty.jsonl", [])), None)


def problem(name: str, language: str) -> dict[str, Any]:
    return {"name": name, "language": language, "prompt": "p", "tests": "t", "stop_tokens": []}


def test_own_problems_are_evaluated_by_language(tmp_path: Path) -> None:
    path = write(tmp_path / "own.jsonl", [problem("a", "js"), problem("b", "py"), problem("c", "js")])
    part = EvaluateConfig(benchmark=path, language="javascript")
    assert (part.label, part.has_lexicons) == ("own js", False)
    assert [each.name for each in load_problems(part, None)] == ["a", "c"]
    assert [each.benchmark for each in load_problems(part, None)] == ["own", "own"]
    with pytest.raises(FlextuneError, match=r"own\.jsonl: no problem in java \(its languages: js, py\)"):
        load_problems(EvaluateConfig(benchmark=path, language="java"), None)


def test_a_bad_row_among_own_problems_is_not_left_out_unsaid(tmp_path: Path) -> None:
    path = write(tmp_path / "own.jsonl", [problem("a", "js"), {"name": "b", "language": "js"}])
    with pytest.raises(FlextuneError, match=r'own\.jsonl:2: missing field "prompt".*mend or remove the row'):
        load_problems(EvaluateConfig(benchmark=path, language="js"), None)
