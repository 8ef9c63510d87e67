from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flextune.records import Comparison, Outcome, Score
from flextune.report.labels import Labels, labels
from flextune.report.verdict_words import plain
from flextune.statistics.decision import decided
from flextune.studies.scores.copies import copies
from flextune.studies.scores.headline import headline
from flextune.studies.scores.verdict_grid import grids


def score(arm: str, language: str, outcomes: Sequence[Outcome] = ("passed", "timeout")) -> Score:
    runs = {f"p{i}": [outcome] for i, outcome in enumerate(outcomes)}
    return Score(arm, "rosetta", language, "base", "greedy", {"0": runs})


def compared(arm: str, language: str, difference: float, p: float, against: str = "base") -> Comparison:
    comparison = Comparison(
        arm, against, "rosetta", language, "base", "greedy", difference, None, None, p, "exact McNemar",
        won=("p0",), lost=(), count=40, rate=0.5 + difference, baseline_rate=0.5, detectable=0.157,
    )  # fmt: skip
    comparison = replace(comparison, low=difference - 0.1, high=difference + 0.1)
    return decided(comparison, p)


def names(arms: Sequence[str], languages: Sequence[str] = ("py", "java")) -> Labels:
    return labels(None, [score(arm, language) for arm in arms for language in languages], "base")


def test_an_arm_is_told_by_what_was_decided_with_scores_and_certainty() -> None:
    known = [
        compared("lora", "java", -0.4, 0.001),
        compared("lora", "py", 0.3, 0.001),
        compared("lora", "js", 0.01, 0.9),
    ]
    ((lead, words),) = headline(known, names(["base", "lora"], ("py", "java", "js")), {})
    assert lead == "lora:"
    assert plain(words) == (
        "Better in Python old words (50.0 → 80.0 %, certain); "
        "worse in Java old words (50.0 → 10.0 %, certain); undecided in 1 other."
    )


def test_many_arms_are_counted_and_only_the_largest_differences_named() -> None:
    arms = ["base", *(f"arm-{number}" for number in range(10))]
    known = [compared(arm, "py", -0.04 * n, 0.001 if n > 5 else 0.9) for n, arm in enumerate(arms[1:], 1)]
    ((lead, words),) = headline(known, names(arms), {})
    assert lead == "10 arms, 10 comparisons with base:"
    assert plain(words) == (
        "Worse in 5; the largest loss is arm-9 in Python old words (50.0 → 10.0 %, certain); "
        "undecided in 5 others."
    )


def test_what_was_to_be_tested_is_told_first_and_the_rest_counted() -> None:
    tested = [compared("lora", "py", 0.3, 0.001), compared("flex", "py", 0.01, 0.9, against="lora")]
    others = [replace(compared("flex", "py", -0.3, 0.001), primary=False)]
    first, second, rest = headline([*reversed(tested), *others], names(["base", "lora", "flex"]), {})
    assert first[0] == "Python old words, lora − base:"
    assert plain(first[1]) == "rises, certain: 50.0 → 80.0 % (+30.0 points [+20.0, +40.0]), p = 0.001."
    assert second[0] == "Python old words, flex − lora:"
    assert second[1].startswith("undecided: ")
    assert rest == ("Beside these:", "1 exploratory comparison.")


def test_many_contrasts_are_left_to_the_findings() -> None:
    tested = [compared(f"arm-{n}", "py", 0.3, 0.001, against="lora") for n in range(7)]
    others = [replace(compared("lora", "py", -0.3, 0.001), primary=False)]
    ((lead, _),) = headline([*tested, *others], names(["base", "lora", *(f"arm-{n}" for n in range(7))]), {})
    assert lead == "lora:"


def test_a_copy_is_not_told_twice() -> None:
    known = [compared(arm, "py", 0.3, 0.001) for arm in ("lora", "merged")]
    assert [lead for lead, _ in headline(known, names(["base", "lora", "merged"]), {"merged": "lora"})] == [
        "lora:"
    ]


def test_arms_that_pass_and_fail_alike_everywhere_are_copies() -> None:
    scores = [
        score("base", "py"),
        score("lora", "py", ("passed", "passed")),
        score("twin", "py", ("passed",) * 2),
    ]
    # Which way a program fails does not matter, how often it passes does.
    failing = score("late", "py", ("passed", "exception"))
    found = copies([*scores, failing], labels(None, [*scores, failing], "base"))
    assert found == {"twin": "lora", "late": "base"}
    elsewhere = [*scores, score("twin", "java")]
    assert copies(elsewhere, labels(None, elsewhere, "base")) == {}


def test_the_grid_has_scores_differences_and_verdicts_and_leads_to_the_programs() -> None:
    known = [compared("lora", "py", -0.4, 0.001), compared("lora", "java", 0.01, 0.9)]
    (grid,) = grids([score("base", "py"), score("base", "java")], known, names(["base", "lora"]), {})
    assert grid.columns == ("lora",)
    (java, python) = grid.rows
    assert python[0] == "Python"
    cell = python[3][0]
    assert cell is not None
    assert cell.change.replace("\u00a0", " ") == "50.0 → 10.0"
    assert (cell.difference, cell.verdict, cell.mark) == ("−40.0 [−50.0, −30.0]", "certain", "▼")
    assert cell.link == "programs?set=py-base&arm=lora&show=changed"
    undecided = java[3][0]
    assert undecided is not None
    assert (undecided.verdict, undecided.mark) == ("undecided, ±15.7", "·")


def test_contrasts_have_a_grid_of_their_own_and_copies_share_a_column() -> None:
    known = [compared(arm, "py", 0.3, 0.001) for arm in ("lora", "flex", "merged")]
    contrast = compared("flex", "py", 0.2, 0.001, against="lora")
    arms = ["base", "lora", "flex", "merged"]
    first, second = grids([score("base", "py")], [contrast, *known], names(arms), {"merged": "flex"})
    assert first.columns == ("lora", "flex = merged")
    assert second.columns == ("flex against lora",)
    cell = second.rows[0][3][0]
    assert cell is not None
    assert cell.link.endswith("&show=changed&against=lora")


def test_what_is_not_compared_has_no_numbers() -> None:
    unknown = replace(compared("lora", "py", 0.3, 0.5), p_value=None, verdict="not compared", won=(), lost=())
    (grid,) = grids([score("base", "py")], [unknown], names(["base", "lora"]), {})
    cell = grid.rows[0][3][0]
    assert cell is not None
    assert (cell.change, cell.difference, cell.verdict, cell.link) == ("–", "", "not compared", "")
