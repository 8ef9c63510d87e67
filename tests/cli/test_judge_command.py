from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Call, read_lines, write_lines
from tests.support.judged import needs_toolchain

from flextune.judging import Judge
from flextune.records import Completion, Problem, Verdict

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]

PY: dict[str, Any] = {
    "name": "add_py",
    "language": "py",
    "prompt": "def add(a, b):\n",
    "tests": "assert add(1, 2) == 3",
    "stop_tokens": ["\ndef"],
}
JS: dict[str, Any] = {
    "name": "add_js",
    "language": "js",
    "prompt": "function add(a, b) {\n",
    "tests": "if (add(1, 2) !== 3) throw new Error('wrong');",
    "stop_tokens": [],
}
RIGHT_PY, WRONG_PY, RIGHT_JS = "    return a + b\n", "    return a - b\n", "  return a + b;\n}\n"


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "rows.jsonl", [PY, JS])


def samples(folder: Path, *pairs: tuple[str, str]) -> Path:
    rows = [{"name": name, "completion": text} for name, text in pairs]
    return write_lines(folder / "samples.jsonl", rows)


@pytest.mark.toolchain
def test_files_in_and_verdicts_out(flextune: Call, problems: Path, tmp_path: Path):
    needs_toolchain("js")
    given = samples(
        tmp_path,
        ("add_py", WRONG_PY),
        ("add_js", RIGHT_JS),
        ("add_py", RIGHT_PY),
        ("add_py", "    return 3\n"),
    )
    output, kept = tmp_path / "verdicts.jsonl", tmp_path / "kept"
    said = flextune(
        "judge", "--problems", problems, "--samples", given, "-o", output, "--keep-programs", kept
    )
    assert said.code == 0
    assert [line.split() for line in said.out.splitlines()[:3]] == [
        ["language", "judged", "passed", "pass@1", "%", "other", "outcomes"],
        ["py", "3", "2", "66.7", "1", "wrong_answer"],
        ["js", "1", "1", "100.0", "[20.7,", "100.0]"],
    ]
    assert all(len(line) <= 80 for line in said.out.splitlines()[:3])
    rows = read_lines(output)
    assert [(row["name"], row["sample"], row["outcome"]) for row in rows] == [
        ("add_py", 0, "wrong_answer"),
        ("add_js", 0, "passed"),
        ("add_py", 1, "passed"),
        ("add_py", 2, "passed"),
    ]
    assert [*rows[0]] == [field.name for field in dataclasses.fields(Verdict)]
    assert {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*") if path.is_file()} == {
        "add_py/0/main.py": PY["prompt"] + WRONG_PY + "\n" + PY["tests"],
        "add_py/1/main.py": PY["prompt"] + RIGHT_PY + "\n" + PY["tests"],
        "add_py/2/main.py": PY["prompt"] + "    return 3\n" + "\n" + PY["tests"],
        "add_js/0/main.js": JS["prompt"] + RIGHT_JS + "\n" + JS["tests"],
    }
    assert {path.name for path in tmp_path.iterdir()} == {
        "rows.jsonl",
        "samples.jsonl",
        "verdicts.jsonl",
        "kept",
    }


def test_json_is_one_value_with_what_did_not_pass(flextune: Call, problems: Path, tmp_path: Path):
    given = samples(tmp_path, ("add_py", RIGHT_PY), ("add_py", WRONG_PY))
    said = flextune("judge", "--problems", problems, "--samples", given, "--json")
    found = said.json
    assert (found["total"], found["passed"], found["wrong_answer"], found["unknown"]) == (2, 1, 1, 0)
    assert [(row["name"], row["sample"]) for row in found["not_passed"]] == [("add_py", 1)]
    assert "judge: 2/2" in said.err


def test_an_interrupted_judge_goes_on_where_it_was_stopped(
    flextune: Call, problems: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    given = samples(tmp_path, *(("add_py", f"    return a + b + {number}\n") for number in range(6)))
    output = tmp_path / "verdicts.jsonl"
    request = ("judge", "--problems", problems, "--samples", given, "-o", output)
    whole = Judge.verdicts
    judged: list[int] = []

    def interrupted(judge: Judge, pairs: Iterable[Any], **settings: Any) -> Iterator[Verdict]:
        yield from itertools.islice(whole(judge, pairs, **settings), 3)
        raise KeyboardInterrupt

    def counted(
        judge: Judge, pairs: Iterable[tuple[Problem, Completion]], **settings: Any
    ) -> Iterator[Verdict]:
        given = list(pairs)
        judged.extend(completion.sample for _, completion in given)
        yield from whole(judge, given, **settings)

    monkeypatch.setattr(Judge, "verdicts", interrupted)
    assert flextune(*request).code == 130
    assert not output.exists()
    monkeypatch.setattr(Judge, "verdicts", counted)
    assert flextune(*request).code == 0
    assert len(judged) == 3
    assert [(row["sample"], row["outcome"]) for row in read_lines(output)] == [
        (number, "wrong_answer" if number else "passed") for number in range(6)
    ]
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_a_lone_surrogate_in_a_sample_is_judged(flextune: Call, problems: Path, tmp_path: Path):
    given = samples(tmp_path, ("add_py", "    return a + b  # \ud800\n"))
    assert "ud800" in given.read_text()
    output = tmp_path / "verdicts.jsonl"
    assert flextune("judge", "--problems", problems, "--samples", given, "-o", output).code == 0
    assert [row["outcome"] for row in read_lines(output)] == ["passed"]


def test_limit_counts_problems_and_keeps_all_their_samples(flextune: Call, problems: Path, tmp_path: Path):
    given = samples(tmp_path, ("add_py", RIGHT_PY), ("add_js", RIGHT_JS), ("add_py", WRONG_PY))
    found = flextune("judge", "--problems", problems, "--samples", given, "--limit", "1", "--json").json
    assert (found["total"], found["passed"]) == (2, 1)


@pytest.mark.toolchain
def test_strict_catches_what_equals_everything_and_names_the_languages_that_have_no_strict_mode(
    flextune: Call, tmp_path: Path
):
    needs_toolchain("cpp")
    cpp = {"name": "add_cpp", "language": "cpp", "prompt": "int add(int a, int b) {\n", "stop_tokens": []}
    cpp["tests"] = "}\n#include <cassert>\nint main() { assert(add(1, 2) == 3); }"
    rows = write_lines(tmp_path / "rows.jsonl", [PY, cpp])
    equal = "    return type('E', (), {'__eq__': lambda *_: True})()\n"
    given = samples(tmp_path, ("add_py", equal), ("add_py", RIGHT_PY), ("add_cpp", "return a + b;"))
    outcomes = []
    for options in ([], ["--strict"]):
        output = tmp_path / "verdicts.jsonl"
        said = flextune("judge", "--problems", rows, "--samples", given, "-o", output, *options)
        outcomes.append([row["outcome"] for row in read_lines(output)])
    assert outcomes == [["passed"] * 3, ["wrong_answer", "passed", "passed"]]
    assert "--strict: cpp cannot run solution and tests in separate processes" in said.err


def test_tests_that_strict_mode_cannot_run_are_noted_and_not_scored(flextune: Call, tmp_path: Path):
    rows = write_lines(
        tmp_path / "rows.jsonl", [PY, {**PY, "name": "np", "tests": "assert np.equal(add(1, 2), 3)"}]
    )
    given = samples(tmp_path, ("np", RIGHT_PY), ("np", WRONG_PY), ("add_py", RIGHT_PY))
    output = tmp_path / "verdicts.jsonl"
    said = flextune("judge", "--problems", rows, "--samples", given, "-o", output, "--strict", "--json")
    assert said.code == 0
    assert "2 programs for 1 problem cannot be judged and are not scored (np: the tests use np" in said.err
    assert "judge without --strict to score them" in said.err
    assert [row["outcome"] for row in read_lines(output)] == ["strict_unsupported"] * 2 + ["passed"]
    assert json.loads(said.out)["unknown"] == 2


def test_helpers_of_a_prompt_are_its_own_in_every_format(flextune: Call, tmp_path: Path):
    helper = "def twice(x):\n    return 2 * x\n\n"
    row = {
        **PY,
        "prompt": helper + PY["prompt"],
        "tests": "assert twice(add(1, 2)) == 6",
        "entry_point": "add",
    }
    cheat = "def add(a, b):\n    return 0\n\ndef twice(x):\n    return 6\n"
    answers = [{"name": "add_py", "solution": cheat}, {"name": "add_py", "answer": f"```python\n{cheat}```"}]
    right = {"name": "add_py", "solution": f"def add(a, b):\n{RIGHT_PY}"}
    given = write_lines(tmp_path / "given.jsonl", [*answers, right])
    output = tmp_path / "verdicts.jsonl"
    rows = write_lines(tmp_path / "rows.jsonl", [row])
    assert flextune("judge", "--problems", rows, "--samples", given, "-o", output, "--strict").code == 0
    assert [row["outcome"] for row in read_lines(output)] == ["wrong_answer", "wrong_answer", "passed"]


def test_a_language_without_its_tools_is_noted_and_not_scored(
    flextune: Call, problems: Path, tmp_path: Path, only_on_path: Any
):
    only_on_path("bwrap")
    given = samples(tmp_path, ("add_js", RIGHT_JS), ("add_py", RIGHT_PY))
    output = tmp_path / "verdicts.jsonl"
    said = flextune("judge", "--problems", problems, "--samples", given, "-o", output)
    assert said.code == 3
    assert "js programs cannot be judged here and are not scored" in said.err
    assert "apt-get install" in said.err
    assert [row["outcome"] for row in read_lines(output)] == ["toolchain_missing", "passed"]
    assert said.out.splitlines()[1].split() == ["js", "0", "of", "1", "0", "-", "1", "toolchain_missing"]


BAD_LINES = [
    ('{"name": "add_pi", "completion": ""}', "no problem is called 'add_pi', did you mean 'add_py'?"),
    ('{"name": "add_py"}', 'missing field "completion", "answer", "solution" or "text" (found: name)'),
    ('{"completion": "x"}', 'missing field "name" or "task_id" (found: completion)'),
    ('{"name": "add_py", "completion": null}', 'field "completion" must be text (found: null)'),
    ('{"name": "add_py", "completion": "", "language": "js"}', "'add_py' is a problem in py, not in 'js'"),
    ("17", "a sample is a JSON object (found: a number)"),
    ("\x00\x01\x02", "not valid JSON (Expecting value at column 1)"),
    ('{"name": "add_py", "completion": "re', "not valid JSON (Invalid control character at at column 37)"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_nothing_but_a_bad_sample_is_one_line_with_file_and_line(
    flextune: Call, problems: Path, tmp_path: Path, line: str, reason: str
):
    given = tmp_path / "samples.jsonl"
    given.write_text(f"{line}\n")
    said = flextune("judge", "--problems", problems, "--samples", given, "-o", tmp_path / "out.jsonl")
    assert said.complaint == f"samples.jsonl:1: {reason}"
    assert not (tmp_path / "out.jsonl").exists()


def test_bad_lines_are_skipped_and_the_rest_is_judged(flextune: Call, problems: Path, tmp_path: Path):
    given, output = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    right = json.dumps({"name": "add_py", "completion": RIGHT_PY}).encode()
    wrong = json.dumps({"name": "add_py", "completion": WRONG_PY}).encode()
    bad = [line.encode() for line, _ in BAD_LINES]
    lines = [right, *bad, bytes(range(128, 256)), wrong, right[:-5]]
    given.write_bytes(b"\n".join(lines))
    said = flextune("judge", "--problems", problems, "--samples", given, "-o", output, "--json")
    found = said.json
    expected = [(f"samples.jsonl:{n}", reason) for n, (_, reason) in enumerate(BAD_LINES, start=2)]
    assert [(one["where"], one["reason"]) for one in found["skipped"]] == [
        *expected,
        ("samples.jsonl:10", "not UTF-8 text (byte 1 of the line)"),
        (
            "samples.jsonl:12",
            "not valid JSON (Unterminated string starting at at column 34); "
            "the file breaks off here, fetch it again",
        ),
    ]
    for where, reason in expected:
        assert f"skipped {where}: {reason}" in said.err
    assert (found["total"], found["passed"], found["wrong_answer"]) == (2, 1, 1)
    assert found["languages"] == {"py": {"total": 2, "passed": 1, "wrong_answer": 1, "unknown": 0}}
    assert [(row["sample"], row["outcome"]) for row in read_lines(output)] == [
        (0, "passed"),
        (1, "wrong_answer"),
    ]


def test_many_bad_lines_are_not_all_said(flextune: Call, problems: Path, tmp_path: Path):
    given = samples(tmp_path, *(("nobody", "") for _ in range(50)), ("add_py", RIGHT_PY))
    said = flextune("judge", "--problems", problems, "--samples", given)
    assert said.code == 0
    assert said.err.count("no problem is called") == 20
    assert "skipped 30 more" in said.err


def test_a_completion_of_100_mb_fails_and_the_rest_is_judged(flextune: Call, problems: Path, tmp_path: Path):
    given, output = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    with given.open("w") as file:
        file.write('{"name": "add_py", "completion": "')
        for _ in range(100):
            file.write("# " * 2**19)
        file.write('"}\n' + json.dumps({"name": "add_py", "completion": RIGHT_PY}) + "\n")
    assert flextune("judge", "--problems", problems, "--samples", given, "-o", output).code == 0
    rows = read_lines(output)
    assert [(row["sample"], row["outcome"]) for row in rows] == [(0, "compile_error"), (1, "passed")]
    assert rows[0]["message"] == "more than 1,048,576 characters of source; not run"


def test_a_nul_byte_in_a_completion_is_no_trouble(flextune: Call, problems: Path, tmp_path: Path):
    given = samples(tmp_path, ("add_py", "    return a + b\0\n"), ("add_py", RIGHT_PY))
    output = tmp_path / "verdicts.jsonl"
    assert flextune("judge", "--problems", problems, "--samples", given, "-o", output).code == 0
    assert [row["outcome"] for row in read_lines(output)] == ["compile_error", "passed"]


def test_bad_problems_cost_themselves_and_their_samples(flextune: Call, tmp_path: Path):
    rows = write_lines(
        tmp_path / "rows.jsonl",
        [PY, {**PY, "name": "k", "language": "klingon"}, PY, {**PY, "name": "s", "language": "swift"}],
    )
    given = samples(tmp_path, ("k", RIGHT_PY), ("s", RIGHT_PY), ("add_py", RIGHT_PY))
    found = flextune("judge", "--problems", rows, "--samples", given, "--json").json
    assert (found["total"], found["passed"]) == (1, 1)
    reasons = {one["where"]: one["reason"] for one in found["skipped"]}
    assert reasons["rows.jsonl:2"].startswith("unknown language 'klingon'")
    assert "(known: cpp, cs, d, " in reasons["rows.jsonl:2"]
    assert reasons["rows.jsonl:3"] == "'add_py' (py) is there already (rows.jsonl:1); names are unique"
    assert reasons["rows.jsonl:4"].startswith("swift programs cannot be judged (judged are: ")
    assert reasons["samples.jsonl:1"] == "its problem 'k' was skipped (rows.jsonl:2)"
    assert reasons["samples.jsonl:2"] == "its problem 's' was skipped (rows.jsonl:4)"


@pytest.mark.toolchain
def test_two_languages_may_share_a_name_if_the_samples_tell(flextune: Call, tmp_path: Path):
    needs_toolchain("js")
    rows = write_lines(tmp_path / "rows.jsonl", [PY, {**JS, "name": "add_py"}])
    given = write_lines(
        tmp_path / "samples.jsonl",
        [
            {"name": "add_py", "language": "js", "completion": RIGHT_JS},
            {"name": "add_py", "language": "py", "completion": RIGHT_PY},
            {"name": "add_py", "completion": RIGHT_PY},
            {"name": "add_py", "language": "py", "completion": WRONG_PY},
        ],
    )
    output, kept = tmp_path / "verdicts.jsonl", tmp_path / "kept"
    request = ("judge", "--problems", rows, "--samples", given, "-o", output, "--keep-programs", kept)
    said = flextune(*request, "--json")
    [skipped] = said.json["skipped"]
    assert skipped == {
        "where": "samples.jsonl:3",
        "reason": 'problems in 2 languages are called \'add_py\'; add "language": "py" or "language": "js"',
    }
    verdicts = [(row["language"], row["sample"], row["outcome"]) for row in read_lines(output)]
    assert verdicts == [("js", 0, "passed"), ("py", 0, "passed"), ("py", 1, "wrong_answer")]
    assert sorted(path.name for path in (kept / "add_py" / "0").iterdir()) == ["main.js", "main.py"]
    other = tmp_path / "other.jsonl"
    other.write_text(output.read_text().replace("wrong_answer", "passed"))
    compared = flextune("compare", output, other, "--json").json
    assert compared["count"] == 2


def test_kept_programs_run_by_hand(flextune: Call, problems: Path, tmp_path: Path):
    kept = tmp_path / "kept"
    given = samples(tmp_path, ("add_py", RIGHT_PY), ("add_py", WRONG_PY))
    flextune("judge", "--problems", problems, "--samples", given, "--keep-programs", kept)
    codes = [
        subprocess.run([sys.executable, kept / "add_py" / str(n) / "main.py"], capture_output=True).returncode
        for n in range(2)
    ]
    assert codes == [0, 1]


def test_cases_test_a_whole_program(flextune: Call, tmp_path: Path):
    row = {"name": "sum", "language": "py", "prompt": "", "cases": [{"input": "1 2\n", "output": "3\n"}]}
    rows = write_lines(tmp_path / "rows.jsonl", [row])
    given = samples(tmp_path, ("sum", "print(sum(map(int, input().split())))"), ("sum", "print(4)"))
    found = flextune("judge", "--problems", rows, "--samples", given, "--json").json
    assert (found["passed"], found["wrong_answer"]) == (1, 1)


@pytest.mark.parametrize("option", ["--memory-mib", "--memory-mb"])
def test_memory_is_limited_in_mib_by_the_option_and_by_its_former_name(
    flextune: Call, problems: Path, tmp_path: Path, option: str
):
    text = "    filled = bytearray(b'x') * (150 * 2**20)\n    return a + b\n"
    given = samples(tmp_path, ("add_py", text))
    request = ("judge", "--problems", problems, "--samples", given, "--json")
    assert flextune(*request, option, "256").json["passed"] == 1
    assert flextune(*request, option, "64").json["memory_limit"] == 1


def test_the_former_name_of_an_option_is_not_advertised(flextune: Call):
    assert "--memory-mib" in flextune("judge", "--help").out
    assert "--memory-mb" not in flextune("judge", "--help").out


def test_no_samples_is_said(flextune: Call, problems: Path, tmp_path: Path):
    given = write_lines(tmp_path / "samples.jsonl", [])
    complaint = flextune("judge", "--problems", problems, "--samples", given).complaint
    assert complaint == f"{given}: no samples in it"


def test_no_problems_is_said(flextune: Call, tmp_path: Path):
    rows = write_lines(tmp_path / "rows.jsonl", [])
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    complaint = flextune("judge", "--problems", rows, "--samples", given).complaint
    assert complaint == f"{rows}: no problems in it"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"language": "klingon"}, "rows.jsonl:1: unknown language 'klingon'"),
        ({"language": "rusty"}, "rows.jsonl:1: unknown language 'rusty', did you mean 'rust'?"),
        ({"tests": 3}, 'rows.jsonl:1: field "tests" must be text (found: a number)'),
    ],
)
def test_a_bad_row_is_one_line_with_file_and_line(
    flextune: Call, tmp_path: Path, changes: dict[str, Any], complaint: str
):
    rows = write_lines(tmp_path / "rows.jsonl", [{**PY, **changes}])
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    assert flextune("judge", "--problems", rows, "--samples", given).complaint.startswith(complaint)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--benchmark", "nonsense", "--reference"],
         "--benchmark: unknown benchmark 'nonsense' (known: apps, humaneval"),
        (["--benchmark", "nonsense", "--samples", "x.jsonl"], "--benchmark: unknown benchmark"),
        (["--benchmark", "rosetta", "--language", "klingon", "--reference"],
         "rosetta: unknown language 'klingon' (known: java, js, py)"),
        (["--benchmark", "humaneval", "--language", "java", "--reference"],
         "humaneval has no Java; multipl-e has HumanEval in other languages"),
        (["--benchmark", "humaneval", "--reference", "--data-dir", "nowhere"],
         "--data-dir nowhere: no such folder"),
        (["--reference"], "--reference needs --benchmark"),
        ([], "give --samples FILE, and either"),
        (["--problems", "p.jsonl", "--benchmark", "mbpp", "--samples", "s.jsonl"], "give --samples FILE"),
        (["--problems", "nowhere.jsonl", "--samples", "nowhere.jsonl"],
         "nowhere.jsonl: cannot be read (No such file or directory)"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_one_line(flextune: Call, arguments: list[str], complaint: str):
    assert flextune("judge", *arguments).complaint.startswith(complaint)


def test_a_truncated_gz_is_one_line_with_its_line(flextune: Call, real_data: Path, tmp_path: Path):
    whole = (real_data / "HumanEval.jsonl.gz").read_bytes()
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    said = flextune("judge", "--benchmark", "humaneval", "--reference", "--data-dir", tmp_path)
    assert "HumanEval.jsonl.gz:" in said.complaint
    assert said.complaint.endswith("the gzip file is cut off or damaged; fetch it again")


def test_reference_answers_of_humaneval_pass(flextune: Call, real_data: Path):
    request = ("judge", "--benchmark", "humaneval", "--reference", "--limit", "5", "--json")
    found = flextune(*request, "--data-dir", real_data).json
    assert (found["total"], found["passed"], found["not_passed"]) == (5, 5, [])


def test_without_bubblewrap_it_refuses_and_says_what_to_do(
    flextune: Call, problems: Path, tmp_path: Path, only_on_path: Any
):
    only_on_path()
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    complaint = flextune("judge", "--problems", problems, "--samples", given).complaint
    assert "apt-get install bubblewrap" in complaint
    assert "--no-sandbox" in complaint
