from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flextune.config import parse_experiment
from flextune.data.problem_rows import read_problems
from flextune.errors import FlextuneError
from flextune.records import Case, Problem, Verdict, as_row
from flextune.runs import layout
from flextune.runs.run import Run, find_run, list_runs


def test_an_unknown_outcome_is_judged_again_and_a_later_verdict_counts(tmp_path):
    folder = Run(tmp_path).judged("k")
    with folder.writer() as writer:
        writer.write([as_row(Verdict("a", 0, "sandbox_fault", "run"))])
        writer.write([as_row(Verdict("b", 0, "toolchain_missing", "toolchain"))])
        writer.write([as_row(Verdict("a", 0, "passed", "run"))])
    assert {key: verdict.outcome for key, verdict in folder.known_verdicts().items()} == {("a", 0): "passed"}
    assert folder.verdicts()["b", 0].outcome == "toolchain_missing"


def test_a_run_is_kept_to_one_process(tmp_path):
    first, second = Run(tmp_path), Run(tmp_path)
    with first.locked(), pytest.raises(FlextuneError, match="another flextune process"), second.locked():
        pass
    with second.locked():
        pass


# JSON does not tell two halves of a character that stand side by side from the character.
TEXTS = st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs"])).filter(
    lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text)
)
MAYBE = st.none() | TEXTS
PROBLEMS = st.builds(
    Problem,
    name=TEXTS,
    benchmark=TEXTS.filter(bool),
    language=st.sampled_from(["py", "java", "d", "sh"]),
    prompt=TEXTS,
    tests=TEXTS,
    stop=st.lists(TEXTS).map(tuple),
    lexicon=MAYBE,
    reference=MAYBE,
    original=MAYBE,
    entry_point=MAYBE,
    cases=st.lists(st.builds(Case, TEXTS, TEXTS)).map(tuple),
)


@pytest.mark.slow
@given(st.lists(PROBLEMS, max_size=4, unique_by=lambda problem: (problem.language, problem.name)))
def test_a_problem_survives_every_file_that_is_written(problems: list[Problem]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        generated = Run(Path(folder)).generated("k")
        generated.begin({"seed": 0}, problems)
        assert generated.problems() == problems
        if problems:
            # The same file, as `flextune judge --problems` reads those of anybody.
            file = generated.folder / layout.PROBLEMS
            assert list(read_problems(file, {"py", "java", "d", "sh"}).found) == problems


def test_problems_are_written_once(tmp_path):
    folder = Run(tmp_path).generated("k")
    problem = Problem("a", "b", "py", "def f():\n", "assert f()", stop=("\ndef",))
    folder.begin({"seed": 0}, [problem])
    folder.begin({"seed": 1}, [])
    assert folder.problems() == [problem]
    assert folder.settings() == {"seed": 0}


def test_a_run_of_an_earlier_format_is_refused_in_one_line(tmp_path):
    run = Run(tmp_path / "old")
    run.begin(parse_experiment("name: old", where="test"), {})
    (run.folder / "evaluated").mkdir()
    for look in (lambda: run.experiment, lambda: run.scores, lambda: run.locked().__enter__()):
        with pytest.raises(FlextuneError, match="written by an earlier version of flextune"):
            look()


def test_runs_are_found_by_name_or_folder(tmp_path):
    experiment = parse_experiment("name: one", where="test")
    Run(tmp_path / "one").begin(experiment, {"command": "flextune"})
    assert [run.folder.name for run in list_runs(tmp_path)] == ["one"]
    assert find_run("one", tmp_path).folder == tmp_path / "one"
    assert find_run(str(tmp_path / "one"), tmp_path / "elsewhere").folder == tmp_path / "one"
    with pytest.raises(FlextuneError, match="runs there: one"):
        find_run("two", tmp_path)


def test_what_is_finished_keeps_the_environment_it_was_made_in(tmp_path):
    run, experiment = Run(tmp_path), parse_experiment("name: one", where="test")
    run.begin(experiment, {"command": "first"})
    run.begin(experiment, {"command": "second"}, pending=False)
    assert Run(tmp_path).environment == {"command": "first"}


def test_what_another_experiment_of_this_name_tuned_is_forgotten(tmp_path):
    run = Run(tmp_path)
    run.tuned_file.write_text("{}")
    run.begin(parse_experiment("name: one", where="test"), {})
    assert not run.tuned_file.exists()
