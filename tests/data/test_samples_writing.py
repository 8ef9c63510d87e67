"""Completions in other tools' layouts, read as those tools read them, and by our own reader."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from flextune.data.samples.reading import read_samples
from flextune.data.samples.writing import FORMATS, SampleFormat, check_format, write_samples
from flextune.errors import FlextuneError
from flextune.records import Completion, Problem

PROBLEMS = [
    Problem(
        f"HumanEval/{number}",
        "humaneval",
        "py",
        f"def f{number}():\n",
        f"def check(f):\n    assert f() == {number}\ncheck(f{number})",
        stop=("\ndef", ""),
        reference=f"    return {number}\n",
        entry_point=f"f{number}",
    )
    for number in range(3)
]
ANSWERS = [
    (problem, [Completion(problem.name, sample, f"    return {sample}  # é\n") for sample in range(2)])
    for problem in PROBLEMS
]
TEXTS = {(c.name, c.sample): c.text for _, completions in ANSWERS for c in completions}
DECODE = {"strategy": "sample", "temperature": 0.8, "top_p": 0.95, "max_new_tokens": 512}


def written(form: SampleFormat, path: Path) -> Path:
    write_samples(form, path, ANSWERS, decode=DECODE)
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("form", ["evalplus", "multipl-e", "bigcode"])
def test_our_reader_gets_every_program_back(tmp_path: Path, form: SampleFormat):
    pairs, skipped = read_samples(written(form, tmp_path / "out"), PROBLEMS)
    assert not skipped
    programs = {(c.name, c.sample): problem.program(c.text).rstrip() for problem, c in pairs}
    assert programs == {
        (problem.name, c.sample): problem.program(c.text).rstrip() for problem, cs in ANSWERS for c in cs
    }


def test_evalplus_gets_whole_programs_under_its_names(tmp_path: Path):
    found = rows(written("evalplus", tmp_path / "samples.jsonl"))
    # Its load_solutions takes task_id and solution of each line; solutions come with their prompt.
    assert [row["task_id"] for row in found] == [f"HumanEval/{n}" for n in range(3) for _ in range(2)]
    assert found[1]["solution"] == PROBLEMS[0].prompt + "    return 1  # é\n"
    mbpp = Problem("MBPP/11", "mbpp", "py", "p", "t")
    write_samples("evalplus", tmp_path / "m.jsonl", [(mbpp, [Completion("MBPP/11", 0, "x")])])
    assert rows(tmp_path / "m.jsonl")[0]["task_id"] == "Mbpp/11"


def test_multipl_e_gets_a_packed_file_for_each_problem(tmp_path: Path):
    problem = Problem("HumanEval_0_f", "multipl-e", "java", "class A {", "}", stop=("\n    }\n",))
    completions = [Completion(problem.name, sample, str(sample)) for sample in range(2)]
    write_samples("multipl-e", tmp_path / "out", [(problem, completions)], decode=DECODE)
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "HumanEval_0_f.json.gz"
    # The fields that its own completions.py writes.
    assert json.loads(gzip.decompress(file.read_bytes())) == {
        "name": "HumanEval_0_f",
        "language": "java",
        "temperature": 0.8,
        "top_p": 0.95,
        "max_tokens": 512,
        "prompt": "class A {",
        "tests": "}",
        "completions": ["0", "1"],
        "stop_tokens": ["\n    }\n"],
    }
    before = file.read_bytes()
    write_samples("multipl-e", tmp_path / "out", [(problem, completions)], decode=DECODE)
    assert file.read_bytes() == before


def test_bigcode_gets_a_list_of_programs_for_each_problem_in_order(tmp_path: Path):
    found = json.loads(written("bigcode", tmp_path / "generations.json").read_text(encoding="utf-8"))
    assert [len(programs) for programs in found] == [2, 2, 2]
    assert all(p.startswith(problem.prompt) for problem, ps in zip(PROBLEMS, found, strict=True) for p in ps)


def test_lm_eval_gets_the_lines_of_its_log(tmp_path: Path):
    found = rows(written("lm-eval", tmp_path / "samples_humaneval.jsonl"))
    assert [row["doc_id"] for row in found] == [0, 1, 2]
    first = found[0]
    assert first["doc"]["task_id"] == "HumanEval/0"
    assert first["resps"] == [["    return 0  # é\n", "    return 1  # é\n"]]
    assert first["filtered_resps"] == [[PROBLEMS[0].prompt + text for text in first["resps"][0]]]
    assert first["arguments"]["gen_args_0"] == {
        "arg_0": PROBLEMS[0].prompt,
        "arg_1": {
            "until": ["\ndef"],
            "max_gen_toks": 512,
            "do_sample": True,
            "temperature": 0.8,
            "top_p": 0.95,
        },
    }


CHAT = "Sure:\n```python\ndef f0():\n    return 7\n```\nDone."


def test_an_answer_in_markdown_becomes_the_program_that_is_judged(tmp_path: Path):
    answers = [(PROBLEMS[0], [Completion("HumanEval/0", 0, CHAT, kind="answer")])]
    write_samples("evalplus", tmp_path / "samples.jsonl", answers)
    (row,) = rows(tmp_path / "samples.jsonl")
    assert row["solution"].strip() == "def f0():\n    return 7"


def test_an_answer_that_does_not_continue_its_prompt_is_no_completion(tmp_path: Path):
    other = CHAT.replace("def f0():", "import math\n\n\ndef f0():")
    answers = [(PROBLEMS[0], [Completion("HumanEval/0", 0, other, kind="answer")])]
    with pytest.raises(FlextuneError, match="is a program of its own and does not continue the prompt"):
        write_samples("multipl-e", tmp_path / "out", answers)


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_takes_what_its_tool_knows(form: str):
    assert check_format(form, PROBLEMS) == form
    rosetta = [Problem("two_sum", "rosetta", "py", "p", "t")]
    if form == "multipl-e":
        assert check_format(form, rosetta) == form
    else:
        with pytest.raises(FlextuneError, match=f"--format {form}: its tool knows Python problems"):
            check_format(form, rosetta)


def test_an_unknown_format_is_one_line():
    with pytest.raises(FlextuneError, match=r"unknown format 'alpaca' \(known: evalplus, multipl-e, bigcode"):
        check_format("alpaca", PROBLEMS)


@pytest.mark.parametrize("form", ["evalplus", "bigcode", "lm-eval"])
def test_an_answer_is_written_as_the_program_in_it(tmp_path: Path, form: SampleFormat):
    problem = PROBLEMS[0]
    program = f"{problem.prompt}    return 7\n"
    text = f"It is seven.\n```python\n{program}```\n"
    path = tmp_path / "samples"
    write_samples(form, path, [(problem, [Completion(problem.name, 0, text, kind="answer")])])
    written = path.read_text()
    assert json.dumps(program)[1:-1] in written
    if form != "lm-eval":
        assert "It is seven." not in written


def test_multipl_e_takes_no_answers_of_a_chat():
    with pytest.raises(FlextuneError, match="--format multipl-e: it holds what follows the prompt"):
        check_format("multipl-e", PROBLEMS, chat=True)
    assert check_format("evalplus", PROBLEMS, chat=True) == "evalplus"
