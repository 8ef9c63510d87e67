from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Call, read_lines, write_lines
from tests.support.judged import needs_toolchain

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sandboxed")]

STRONG = {
    "name": "larger",
    "language": "py",
    "prompt": "def larger(a, b):\n",
    "tests": "assert larger(1, 2) == 2\nassert larger(2, 1) == 2\nassert larger(-3, -4) == -3",
    "reference": "    if a > b:\n        return a\n    return b\n",
}
WEAK = {**STRONG, "name": "weak", "tests": "assert larger(1, 2) == 2"}


def test_weak_tests_are_named_with_a_survivor(flextune: Call, tmp_path: Path):
    rows = write_lines(tmp_path / "rows.jsonl", [STRONG, WEAK])
    output = tmp_path / "found.jsonl"
    said = flextune("check-problems", rows, "--mutants", "100", "-o", output)
    assert said.code == 0
    strong, weak = read_lines(output)
    assert (strong["reference"], strong["empty"]) == ("passed", "compile_error")
    # a > b and a >= b mean the same here.
    assert strong["survivors"] == ["line 1: `if a > b:` -> `if a >= b:`"]
    assert weak["mutants"] == strong["mutants"] == weak["killed"] + len(weak["survivors"])
    assert "line 1: `if a > b:` -> `if False:`" in weak["survivors"]
    assert "line 2: `return a` -> `return 0`" in weak["survivors"]
    assert said.out.splitlines()[0].startswith("2 of 2 references pass, ")
    assert "survived, line" in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines())


def test_the_same_seed_finds_the_same(flextune: Call, tmp_path: Path):
    rows = write_lines(tmp_path / "rows.jsonl", [WEAK])
    found = [flextune("check-problems", rows, "--mutants", "4", "--json").json for _ in range(2)]
    assert found[0] == found[1]
    assert found[0]["weak"]["mutants"] == 4
    other = write_lines(tmp_path / "more.jsonl", [STRONG, WEAK])
    assert flextune("check-problems", other, "--mutants", "4", "--json").json["weak"] == found[0]["weak"]


@pytest.mark.parametrize(
    ("changes", "key", "outcome", "said"),
    [
        (
            {"reference": "    return a\n"},
            "reference",
            "wrong_answer",
            "the reference does not pass: wrong_answer",
        ),
        ({"tests": "larger"}, "empty", "passed", "an empty completion passes"),
    ],
)
def test_an_unsound_problem_makes_the_exit_status_1(
    flextune: Call, tmp_path: Path, changes: dict[str, Any], key: str, outcome: str, said: str
):
    row = {**STRONG, "prompt": "def larger(a, b):\n    pass\n", **changes}
    rows = write_lines(tmp_path / "rows.jsonl", [row])
    found = flextune("check-problems", rows, "--mutants", "0")
    assert found.code == 1
    assert said in " ".join(found.out.split())
    shown = flextune("check-problems", rows, "--mutants", "0", "--json")
    assert json.loads(shown.out)["larger"][key] == outcome


@pytest.mark.toolchain
def test_what_a_compiler_refuses_is_no_mutant(flextune: Call, tmp_path: Path):
    needs_toolchain("java")
    row = {
        "name": "sign",
        "language": "java",
        "prompt": "class Problem {\n    public static long sign(long n) {\n",
        "tests": "    }\n    public static void main(String[] args) {\n        assert sign(3) == 1;\n"
        "        assert sign(0) == 0;\n        assert sign(-3) == 0;\n    }\n}\n",
        "reference": "        long found = 0;\n        if (n > 0) found = 1;\n        return found;\n",
    }
    rows = write_lines(tmp_path / "rows.jsonl", [row])
    found = flextune("check-problems", rows, "--mutants", "100", "--json").json["sign"]
    # One comparison, six constants, return 0 and a dropped assignment. Refused are three other values to
    # return, which are no long, and the dropped declaration.
    assert (found["reference"], found["mutants"]) == ("passed", 9)
    assert not [one for one in found["survivors"] if "true" in one]


def test_a_file_without_references_says_what_to_give(flextune: Call, tmp_path: Path):
    row = {key: value for key, value in STRONG.items() if key != "reference"}
    rows = write_lines(tmp_path / "rows.jsonl", [row])
    complaint = flextune("check-problems", rows).complaint
    assert complaint == 'no problem has a reference: give each row a right completion as its "reference"'


def test_bad_rows_are_skipped_and_said(flextune: Call, tmp_path: Path):
    rows = write_lines(tmp_path / "rows.jsonl", [{"name": "bad"}, STRONG])
    said = flextune("check-problems", rows, "--mutants", "1", "--json")
    assert list(said.json) == ["larger"]
    assert 'skipped rows.jsonl:1: missing field "language"' in said.err


def test_humaneval_references_pass_and_most_mutants_die(flextune: Call, real_data: Path, tmp_path: Path):
    lines = gzip.decompress((real_data / "HumanEval.jsonl.gz").read_bytes()).splitlines()[:12]
    rows = tmp_path / "HumanEval.jsonl"
    rows.write_bytes(b"\n".join(lines))
    found = flextune("check-problems", rows, "--mutants", "5", "--json").json
    assert {row["reference"] for row in found.values()} == {"passed"}
    assert "passed" not in {row["empty"] for row in found.values()}
    assert sum(row["killed"] for row in found.values()) >= 0.8 * sum(row["mutants"] for row in found.values())
