from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Call, read_lines, write_lines

from flextune.judging import isolation, languages
from flextune.pipeline import alone
from flextune.records import Verdict

pytestmark = pytest.mark.skipif(isolation().kind == "none", reason="programs cannot be isolated here")

DATA = Path(__file__).parents[3] / "shared" / "data"
PY = {
    "name": "add_py",
    "language": "py",
    "prompt": "def add(a, b):\n",
    "tests": "assert add(1, 2) == 3",
    "stop_tokens": ["\ndef"],
}
JS = {
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


def needs(language: str) -> None:
    if not languages()[language].toolchain().found:
        pytest.skip(f"no toolchain for {language}")


def test_files_in_and_verdicts_out(flextune: Call, problems: Path, tmp_path: Path):
    needs("js")
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
    assert said.out.splitlines()[0] == "total: 4, passed: 3, wrong_answer: 1"
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
    whole = alone.judge
    judged: list[int] = []

    def interrupted(pairs: list[Any], **settings: Any) -> Generator[Verdict, None, None]:
        yield from itertools.islice(whole(pairs, **settings), 3)
        raise KeyboardInterrupt

    def counted(pairs: list[Any], **settings: Any) -> Generator[Verdict, None, None]:
        judged.extend(completion.sample for _, completion in pairs)
        return whole(pairs, **settings)

    monkeypatch.setattr(alone, "judge", interrupted)
    assert flextune(*request).code == 130
    assert not output.exists()
    monkeypatch.setattr(alone, "judge", counted)
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


def test_a_language_without_its_tools_is_noted_and_not_scored(
    flextune: Call, problems: Path, tmp_path: Path, only_on_path: Any
):
    only_on_path("bwrap")
    given = samples(tmp_path, ("add_js", RIGHT_JS), ("add_py", RIGHT_PY))
    output = tmp_path / "verdicts.jsonl"
    said = flextune("judge", "--problems", problems, "--samples", given, "-o", output)
    assert said.code == 0
    assert "js programs cannot be judged here and are not scored" in said.err
    assert "apt-get install" in said.err
    assert [row["outcome"] for row in read_lines(output)] == ["toolchain_missing", "passed"]
    assert said.out.splitlines()[0] == "total: 2, passed: 1, toolchain_missing: 1, unknown: 1"


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([{"name": "add_py", "completion": ""}, {"name": "add_pi", "completion": ""}],
         "samples.jsonl:2: no problem is called 'add_pi', did you mean 'add_py'?"),
        ([{"name": "add_py"}], 'samples.jsonl:1: missing field "completion" (found: name)'),
        ([{"completion": "x"}], 'samples.jsonl:1: missing field "name" (found: completion)'),
        ([{"name": "add_py", "completion": None}],
         'samples.jsonl:1: field "completion" must be text (found: null)'),
    ],
    ids=["unknown problem", "no completion", "no name", "null"],
)  # fmt: skip
def test_a_bad_sample_is_one_line_with_file_and_line(
    flextune: Call, problems: Path, tmp_path: Path, lines: list[dict[str, Any]], complaint: str
):
    given = write_lines(tmp_path / "samples.jsonl", lines)
    said = flextune("judge", "--problems", problems, "--samples", given, "-o", tmp_path / "out.jsonl")
    assert said.complaint == complaint
    assert not (tmp_path / "out.jsonl").exists()


def test_a_half_written_sample_names_its_line(flextune: Call, problems: Path, tmp_path: Path):
    given = tmp_path / "samples.jsonl"
    line = json.dumps({"name": "add_py", "completion": RIGHT_PY})
    given.write_text(f"{line}\n{line[:-9]}")
    complaint = flextune("judge", "--problems", problems, "--samples", given).complaint
    assert complaint.startswith("samples.jsonl:2: not valid JSON")
    assert "breaks off here" in complaint


def test_no_samples_is_said(flextune: Call, problems: Path, tmp_path: Path):
    given = write_lines(tmp_path / "samples.jsonl", [])
    complaint = flextune("judge", "--problems", problems, "--samples", given).complaint
    assert complaint == f"{given}: no samples in it"


def test_no_problems_is_said(flextune: Call, tmp_path: Path):
    rows = write_lines(tmp_path / "rows.jsonl", [])
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    complaint = flextune("judge", "--problems", rows, "--samples", given).complaint
    assert complaint == f"{rows}: no problems in it"


def test_two_problems_of_one_name_are_refused(flextune: Call, tmp_path: Path):
    """A sample gives only a name: it would be judged in one language or the other by chance."""
    rows = write_lines(tmp_path / "rows.jsonl", [PY, {**JS, "name": PY["name"]}])
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    complaint = flextune("judge", "--problems", rows, "--samples", given).complaint
    assert complaint == "rows.jsonl:2: 'add_py' is there already (rows.jsonl:1); names are unique"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"language": "klingon"}, "rows.jsonl:1: unknown language 'klingon'"),
        ({"language": "rust"}, "rows.jsonl:1: unknown language 'rust', did you mean 'rs'?"),
        ({"tests": 3}, 'rows.jsonl:1: field "tests" must be text (found: a number)'),
    ],
)
def test_a_bad_row_is_one_line_with_file_and_line(
    flextune: Call, tmp_path: Path, changes: dict[str, Any], complaint: str
):
    rows = write_lines(tmp_path / "rows.jsonl", [{**PY, **changes}])
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    assert flextune("judge", "--problems", rows, "--samples", given).complaint.startswith(complaint)


def test_a_language_of_multipl_e_that_cannot_be_judged_here_is_named(flextune: Call, tmp_path: Path):
    rows = write_lines(tmp_path / "rows.jsonl", [{**PY, "language": "sh"}])
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    if "sh" in languages():
        pytest.skip("there is a judge for sh now")
    complaint = flextune("judge", "--problems", rows, "--samples", given).complaint
    assert complaint.startswith('unknown language "sh"')


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--benchmark", "nonsense", "--reference"], "--benchmark: Input should be 'rosetta', 'humaneval'"),
        (["--benchmark", "nonsense", "--samples", "x.jsonl"], "--benchmark: Input should be"),
        (["--benchmark", "rosetta", "--language", "klingon", "--reference"],
         "rosetta: unknown language 'klingon' (known: java, js, py)"),
        (["--benchmark", "humaneval", "--language", "java", "--reference"],
         "evaluate: humaneval is Python only"),
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


def test_a_truncated_gz_is_one_line_with_its_line(flextune: Call, tmp_path: Path):
    if not DATA.is_dir():
        pytest.skip("no benchmark files here")
    whole = (DATA / "HumanEval.jsonl.gz").read_bytes()
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    said = flextune("judge", "--benchmark", "humaneval", "--reference", "--data-dir", tmp_path)
    assert "HumanEval.jsonl.gz:" in said.complaint
    assert said.complaint.endswith("the gzip file is cut off or damaged; fetch it again")


def test_reference_answers_of_humaneval_pass(flextune: Call):
    if not DATA.is_dir():
        pytest.skip("no benchmark files here")
    request = ("judge", "--benchmark", "humaneval", "--reference", "--limit", "5", "--json")
    found = flextune(*request, "--data-dir", DATA).json
    assert (found["total"], found["passed"], found["not_passed"]) == (5, 5, [])


def test_without_bubblewrap_it_refuses_and_says_what_to_do(
    flextune: Call, problems: Path, tmp_path: Path, only_on_path: Any
):
    only_on_path()
    given = samples(tmp_path, ("add_py", RIGHT_PY))
    complaint = flextune("judge", "--problems", problems, "--samples", given).complaint
    assert "apt-get install bubblewrap" in complaint
    assert "--no-sandbox" in complaint
