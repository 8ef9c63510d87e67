from __future__ import annotations

import pytest

from flextune.config import parse_experiment
from flextune.errors import FlextuneError
from flextune.records import Problem, Verdict, as_row
from flextune.runs.run import RunDirectory, find_run, list_runs


def test_an_unknown_outcome_is_judged_again_and_a_later_verdict_counts(tmp_path):
    folder = RunDirectory(tmp_path).evaluated("k")
    with folder.verdict_writer() as writer:
        writer.write([as_row(Verdict("a", 0, "sandbox_fault", "run"))])
        writer.write([as_row(Verdict("b", 0, "toolchain_missing", "toolchain"))])
        writer.write([as_row(Verdict("a", 0, "passed", "run"))])
    assert {key: verdict.outcome for key, verdict in folder.verdicts().items()} == {("a", 0): "passed"}
    assert folder.all_verdicts()["b", 0].outcome == "toolchain_missing"


def test_a_run_is_kept_to_one_process(tmp_path):
    first, second = RunDirectory(tmp_path), RunDirectory(tmp_path)
    with first.locked(), pytest.raises(FlextuneError, match="another flextune process"), second.locked():
        pass
    with second.locked():
        pass


def test_an_evaluation_keeps_the_problems_it_was_made_with(tmp_path):
    folder = RunDirectory(tmp_path).evaluated("k")
    problem = Problem("a", "b", "py", "def f():\n", "assert f()", stop=("\ndef",))
    folder.describe({"seed": 0}, [problem])
    assert '"stop": ["\\ndef"]' in (folder.folder / "problems.jsonl").read_text()


def test_runs_are_found_by_name_or_folder(tmp_path):
    experiment = parse_experiment("name: one", where="test")
    RunDirectory(tmp_path / "one").begin(experiment, {"command": "flextune"})
    assert [run.folder.name for run in list_runs(tmp_path)] == ["one"]
    assert find_run("one", tmp_path).folder == tmp_path / "one"
    assert find_run(str(tmp_path / "one"), tmp_path / "elsewhere").folder == tmp_path / "one"
    with pytest.raises(FlextuneError, match="runs there: one"):
        find_run("two", tmp_path)
