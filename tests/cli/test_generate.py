"""generate, judge and compare as a chain of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.command_line import Call, read_lines, write_lines

from flextune.cli.requests import ModelRequest
from flextune.records import Problem
from flextune.rosetta.rows import rows
from flextune.runner.plan import Sources, make_plan

SHORT = ("--benchmark", "rosetta", "--limit", "4", "--max-new-tokens", "8", "--batch-size", "2")


def generate(flextune: Call, model: object, output: Path, *options: object) -> list[dict[str, object]]:
    said = flextune("generate", model, "-o", output, *SHORT, *options, "--json")
    found = read_lines(output)
    assert said.json == {"completions": len(found), "file": str(output)}
    return found


@pytest.mark.usefixtures("sandboxed")
def test_generate_then_judge_then_compare(flextune: Call, model_folder: Path, tmp_path: Path):
    made = generate(flextune, model_folder, tmp_path / "made.jsonl")
    problems = tmp_path / "made.jsonl.problems.jsonl"
    assert {row["name"] for row in made} == {row["name"] for row in rows("py", limit=4)}

    given = ("--problems", problems, "--samples", tmp_path / "made.jsonl")
    judged = flextune("judge", *given, "-o", tmp_path / "model.jsonl", "--json").json
    assert judged["total"] == 4

    answers = [{"name": row["name"], "completion": row["reference"]} for row in rows("py", limit=4)]
    right = write_lines(tmp_path / "answers.jsonl", answers)
    given = ("--problems", problems, "--samples", right)
    assert flextune("judge", *given, "-o", tmp_path / "right.jsonl", "--json").json["passed"] == 4

    verdicts = (tmp_path / "right.jsonl", tmp_path / "model.jsonl")
    found = flextune("compare", *verdicts, "--json").json
    assert len(found["won"]) == 4 - judged["passed"]
    assert (found["lost"], found["count"]) == ([], 4)
    # Four problems won of four: the exact two-sided test gives 2 / 2^4.
    assert judged["passed"] == 0
    assert found["p_value"] == 2 / 2**4
    said = flextune("compare", *verdicts)
    assert said.out.startswith("A  py  4/4 passed = 100.0 %")
    assert "A − B: undecided: 0.0 → 100.0 % (+100.0 points" in said.out
    assert "p = 0.125" in said.out
    assert "exact McNemar" in said.out


def test_generate_goes_on_where_it_was_stopped(flextune: Call, model_folder: Path, tmp_path: Path):
    output = tmp_path / "made.jsonl"
    sampled = ("--temperature", "0.8", "--n", "2", "--seed", "3")
    generate(flextune, model_folder, output, *sampled)
    whole = output.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 8
    output.write_bytes(b"".join(lines[:3]) + lines[3][:10])
    generate(flextune, model_folder, output, *sampled)
    assert sorted(output.read_bytes().splitlines()) == sorted(whole.splitlines())
    finished = output.stat().st_mtime_ns
    generate(flextune, model_folder, output, *sampled)
    assert output.read_bytes().count(b"\n") == 8
    assert output.stat().st_mtime_ns == finished


@pytest.mark.parametrize(
    "other", [("--seed", "1", "--temperature", "0.5"), ("--language", "js"), ("--lexicon", "reserved")]
)
def test_another_request_into_the_same_file_is_refused(
    flextune: Call, model_folder: Path, tmp_path: Path, other: tuple[str, ...]
):
    output = tmp_path / "made.jsonl"
    generate(flextune, model_folder, output)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    complaint = flextune("generate", model_folder, "-o", output, *SHORT, *other).complaint
    assert complaint == f"{output}: holds the completions of another request; choose another file"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--benchmark", "nonsense"], "--benchmark: unknown benchmark 'nonsense'"),
        (["--language", "klingon"], "rosetta: unknown language 'klingon' (known: java, js, py)"),
        (["--lexicon", "other"], "--lexicon: Input should be 'base' or 'reserved' (given: \"other\")"),
        (["--dtype", "float8"], "--dtype: Input should be 'float32'"),
        (["--temperature", "0.5", "--top-p", "2"], "--top-p: Input should be less than or equal to 1"),
        (["--n", "3"], "--n 3 needs --temperature above 0"),
        (["--num-beams", "2", "--n", "3"], "--n 3 needs --temperature above 0"),
        (["--num-beams", "2", "--temperature", "1"], "--num-beams and --temperature exclude each other"),
        (["--seed", "-1"], "--seed: Input should be greater than or equal to 0 (given: -1)"),
    ],
)
def test_a_wrong_option_is_one_line(flextune: Call, tmp_path: Path, options: list[str], complaint: str):
    output = tmp_path / "made.jsonl"
    assert flextune("generate", "rosetta", "-o", output, *options).complaint.startswith(complaint)
    assert not list(tmp_path.iterdir())


def verdict(name: str, outcome: str, sample: int = 0) -> dict[str, object]:
    return {"name": name, "sample": sample, "outcome": outcome, "stage": "run"}


def test_compare_leaves_out_what_is_unknown_and_stays_json(flextune: Call, tmp_path: Path):
    first = write_lines(tmp_path / "a.jsonl", [verdict("p", "sandbox_fault")])
    second = write_lines(tmp_path / "b.jsonl", [verdict("p", "passed")])
    said = flextune("compare", first, second, "--json")
    found = json.loads(said.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (found["difference"], found["count"], found["left_out"]) == (None, 0, ["p"])
    assert (found["verdict"], found["unknown"]) == ("not compared", [1, 0])
    assert said.code == 3
    assert "not compared: no problem has a known outcome in both" in flextune("compare", first, second).out


def test_compare_says_what_it_compares_and_how_it_decides(flextune: Call, tmp_path: Path):
    rows = [
        [{**verdict(f"p{i}", "passed" if i < n else "timeout"), "language": "py"} for i in range(60)]
        for n in (50, 10)
    ]
    first, second = (
        write_lines(tmp_path / f"{name}.jsonl", part) for name, part in zip("ab", rows, strict=True)
    )
    lines = flextune("compare", first, second).out.splitlines()
    assert max(map(len, (line for line in lines if not line.endswith(".jsonl")))) <= 80
    said = " ".join(lines)
    assert "A  py  50/60 passed = 83.3 %" in said
    assert "A − B: rises, certain: 16.7 → 83.3 % (+66.7 points [" in said
    assert "would have been shown" in said
    found = flextune("compare", first, second, "--json").json
    assert (found["verdict"], found["a"]["passed"], found["b"]["known"]) == ("certain", 50, 60)


def test_compare_states_different_problems(flextune: Call, tmp_path: Path):
    first = write_lines(tmp_path / "a.jsonl", [verdict(name, "passed") for name in "pqr"])
    second = write_lines(tmp_path / "b.jsonl", [verdict(name, "passed") for name in "rs"])
    said = flextune("compare", first, second).out
    assert "2 problems only in A: not compared" in said
    assert "1 problem only in B: not compared" in said


def test_a_verdict_that_was_judged_again_counts_and_a_second_one_is_an_error(flextune: Call, tmp_path: Path):
    other = write_lines(tmp_path / "b.jsonl", [verdict("p", "passed")])
    again = write_lines(tmp_path / "a.jsonl", [verdict("p", "sandbox_fault"), verdict("p", "passed")])
    assert flextune("compare", again, other, "--json").json["count"] == 1
    twice = write_lines(
        tmp_path / "c.jsonl", [verdict("q", "passed"), verdict("p", "timeout"), verdict("p", "passed")]
    )
    assert (
        "c.jsonl:3: a second verdict on p, sample 0 (the first is in line 2)"
        in flextune("compare", twice, other).complaint
    )


def test_compare_refuses_two_languages_unless_told(flextune: Call, tmp_path: Path):
    first, second = (
        write_lines(tmp_path / f"{name}.jsonl", [{**verdict("p", "passed"), "language": name}])
        for name in ("py", "js")
    )
    assert "of language py" in flextune("compare", first, second).complaint
    assert flextune("compare", first, second, "--across", "--json").json["count"] == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "b.jsonl: no such verdict file"),
        ("", "b.jsonl: no verdicts in it"),
        ("nonsense\n", "b.jsonl:1: not a JSON line"),
        ('{"name": "p", "completion": ""}\n', "b.jsonl:1: not a verdict line (fields: name, completion)"),
        (
            json.dumps(verdict("p", "fine")) + "\n",
            "b.jsonl:1: unknown outcome 'fine' (p, sample 0; known: passed",
        ),
        (json.dumps(verdict("q", "passed")) + "\n", "have no problem in common: nothing to compare"),
    ],
)
def test_compare_with_something_else_is_one_line(
    flextune: Call, tmp_path: Path, text: str | None, complaint: str
):
    first, second = write_lines(tmp_path / "a.jsonl", [verdict("p", "passed")]), tmp_path / "b.jsonl"
    if text is not None:
        second.write_text(text)
    assert complaint in flextune("compare", first, second).complaint


def test_a_merged_adapter_is_another_request(tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (tmp_path / "adapter_model.safetensors").touch()

    def key(merged: bool) -> str:
        (request,) = ModelRequest(limit=1, merged=merged).experiments([f"rosetta+{tmp_path}"], ["py"])
        sources = Sources(
            model=lambda name: "sha256:1",
            adapter=lambda folder: "adapter",
            problems=lambda part: [Problem("a", "rosetta", "py", "p", "t")],
            examples=lambda train: ([], []),
        )
        return make_plan(request, sources).evaluations[0].generation.key

    assert key(True) != key(False)


def test_every_field_of_a_problem_reaches_the_problem_file(
    flextune: Call, model_folder: Path, tmp_path: Path
):
    output = tmp_path / "made.jsonl"
    generate(flextune, model_folder, output)
    rows = read_lines(tmp_path / "made.jsonl.problems.jsonl")
    assert {row["lexicon"] for row in rows} == {"base"}
    assert all(row["reference"] and row["stop_tokens"] for row in rows)
    assert {row["benchmark"] for row in rows} == {"rosetta"}
