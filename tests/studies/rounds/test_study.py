"""The paper's numbers beside a run's, and what the run says to the paper's claims."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from flextune.records import Outcome, Score
from flextune.report.run_data import RunData, read_run
from flextune.statistics.intervals import wilson
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import Contrast, compare_all, estimate
from flextune.statistics.tally import setting
from flextune.studies.registry import studies_of
from flextune.studies.rounds.claims import decide, score_verdicts
from flextune.studies.rounds.paper import paper_claims
from flextune.studies.rounds.study import RoundsStudy
from flextune.studies.rounds.tables import claim_table, score_table

NAMES = [f"p{number}" for number in range(158)]


def score(arm: str, passed: int, *, benchmark: str = "multipl-e", seeds: int = 3) -> Score:
    """The first problems pass, with every seed; without seeds it is a base model."""
    both: tuple[Outcome, Outcome] = ("passed", "exception")
    found: dict[str, list[Outcome]] = {name: [both[n >= passed]] for n, name in enumerate(NAMES)}
    keys = [str(seed) for seed in range(seeds)] or ["-"]
    trainings = {key: f"{arm}-{key}" if seeds else None for key in keys}
    lexicon = "base" if benchmark == "rosetta" else None
    return estimate(
        Score(arm, benchmark, "java", lexicon, "greedy", dict.fromkeys(keys, found), trainings, {}, {})
    )


def run_of(folder: Path, scores: list[Score], pairs: list[tuple[str, str]]) -> RunData:
    where = setting(scores[0])
    contrasts = [Contrast(arm, other, where) for arm, other in pairs]
    rows = compare_all(scores, scores[0].arm, contrasts)
    (folder / "scores.json").write_text(scores_json("reproduction-full", scores[0].arm, scores, rows))
    return read_run(folder)


def test_a_gain_that_the_paper_reports_holds_where_it_is_shown(tmp_path: Path) -> None:
    run = run_of(tmp_path, [score("round-3", 50, seeds=0), score("round-5", 90)], [("round-5", "round-3")])
    verdicts = {verdict.claim.id: verdict for verdict in score_verdicts(run)}
    assert verdicts["penalty-raises-java"].decision == "holds"
    assert "31.6 → 57.0 %" in verdicts["penalty-raises-java"].words
    assert verdicts["penalty-raises-java-over-lora"].decision == "was not measured"
    assert verdicts["penalty-raises-java-over-lora"].words == "the run has no arm round-5-lora"


def test_a_loss_contradicts_a_claimed_gain(tmp_path: Path) -> None:
    run = run_of(tmp_path, [score("round-3", 90, seeds=0), score("round-5", 50)], [("round-5", "round-3")])
    (verdict, *_) = score_verdicts(run)
    assert (verdict.claim.id, verdict.decision) == ("penalty-raises-java", "does not hold")


@pytest.mark.parametrize(
    ("expects", "word", "difference", "decision"),
    [
        ("rises", "certain", 0.1, "holds"),
        ("rises", "likely", 0.1, "probably holds"),
        ("rises", "certain", -0.1, "does not hold"),
        ("rises", "same", 0.0, "does not hold"),
        ("rises", "undecided", 0.1, "cannot be told here"),
        ("falls", "likely", -0.1, "probably holds"),
        ("same", "same", 0.01, "holds"),
        ("same", "certain", 0.1, "does not hold"),
        ("same", "undecided", 0.0, "cannot be told here"),
        ("rises", "not compared", math.nan, "cannot be told here"),
    ],
)
def test_what_is_decided(tmp_path: Path, expects: str, word: str, difference: float, decision: str) -> None:
    scores = [score("round-3", 50, seeds=0), score("round-5", 60)]
    (row,) = run_of(tmp_path, scores, [("round-5", "round-3")]).comparisons
    claim = replace(paper_claims()[0], expects=expects)  # type: ignore[arg-type]
    measured = replace(row, verdict=word, difference=difference)  # type: ignore[arg-type]
    assert decide(claim, measured) == decision


def test_the_difference_has_the_uncertainty_of_both(tmp_path: Path) -> None:
    run = run_of(tmp_path, [score("round-3", 50, seeds=0), score("round-5", 90)], [("round-5", "round-3")])
    cells = {(row[0], row[1]): row for row in score_table(run).rows}
    paper, ours = 0.3325, 50 / 158
    low, high = wilson(50, 158)
    paper_low, paper_high = wilson(round(paper * 158), 158)
    difference = ours - paper
    expected = (
        difference - math.hypot(ours - low, paper_high - paper),
        difference + math.hypot(high - ours, paper - paper_low),
    )
    shown = cells["3", "Code Llama 7B as it is"]
    assert shown[3] == "33.25"
    assert shown[5] == f"−1.6 [−{-100 * expected[0]:.1f}, +{100 * expected[1]:.1f}]"


def test_levels_of_another_benchmark_are_not_subtracted(tmp_path: Path) -> None:
    scores = [score("round-3", 50, benchmark="rosetta", seeds=0), score("round-5", 90, benchmark="rosetta")]
    table = score_table(run_of(tmp_path, scores, [("round-5", "round-3")]))
    assert {row[5] for row in table.rows} == {"–"}
    assert "not comparable" in table.note
    assert {row[2] for row in table.rows} == {"Rosetta, Java, old words"}


def test_the_study_is_of_runs_with_an_arm_of_the_rounds(tmp_path: Path) -> None:
    run = run_of(tmp_path, [score("round-3", 50, seeds=0), score("round-5", 90)], [("round-5", "round-3")])
    assert isinstance(studies_of(run)["rounds"], RoundsStudy)
    (section,) = studies_of(run)["rounds"].sections(run)
    assert [table.title for table in section.tables] == ["pass@1: the paper's and ours", "The paper's claims"]
    document = studies_of(run)["rounds"].documents(run, {})["rounds.md"]
    assert claim_table(score_verdicts(run)).rows[0][0] in document
    other = tmp_path / "other"
    other.mkdir()
    assert "rounds" not in studies_of(run_of(other, [score("a", 50), score("b", 60)], [("b", "a")]))
