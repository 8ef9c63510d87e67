from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from flextune.report.run_data import RunData, read_run
from flextune.studies.scores.programs import LONGEST_TEXT, MISSING, Pool, programs


def cells(data: dict[str, Any]) -> list[list[Any]]:
    return [c for group in data["groups"] for problem in group["problems"] for c in problem["cells"]]


def test_every_program_is_there_with_its_text_and_outcome(small_run: Path) -> None:
    data = programs(read_run(small_run))
    assert data["omitted"] == 0
    assert len(cells(data)) == 6 * 6 * (1 + 3 * 3)
    group = next(g for g in data["groups"] if g["label"] == "Java · retention")
    problem = group["problems"][0]
    rows = [
        json.loads(line)
        for line in (small_run / "generated/lora-java-base-1/completions.jsonl").read_text().splitlines()
    ]
    (cell,) = [c for c in problem["cells"] if c[0] == data["arms"].index("lora") and c[1] == "1"]
    assert data["pool"][cell[4]] == rows[0]["text"]
    assert data["pool"][problem["prompt"]].startswith("class Problem {")


def test_equal_texts_are_held_once(small_run: Path) -> None:
    pool = programs(read_run(small_run))["pool"]
    assert len(pool) == len(set(pool))


def test_tallies_count_all_programs_even_where_the_budget_left_texts_out(small_run: Path) -> None:
    run = read_run(small_run)
    full, tight = programs(run), programs(run, budget=6_000)
    assert tight["omitted"] > 0
    assert len(cells(tight)) + tight["omitted"] == len(cells(full))
    assert len(json.dumps(tight["pool"])) < 6_100
    for one, other in zip(full["groups"], tight["groups"], strict=True):
        assert [p["tally"] for p in one["problems"]] == [p["tally"] for p in other["problems"]]


def with_samples(run: RunData, count: int) -> RunData:
    """The same run with each outcome ``count`` times; completions exist for sample 0 only."""
    scores = tuple(
        replace(
            score,
            outcomes={s: {n: o * count for n, o in runs.items()} for s, runs in score.outcomes.items()},
        )
        for score in run.scores
    )
    return replace(run, scores=scores)


def test_a_missing_completion_keeps_its_verdict(small_run: Path) -> None:
    run = with_samples(read_run(small_run), 2)
    data = programs(run)
    further = [cell for cell in cells(data) if cell[2] == 1]
    assert len(further) == len(cells(data)) // 2
    assert all(cell[4] == MISSING and cell[3] for cell in further)


def test_a_long_text_is_cut_and_says_so() -> None:
    pool = Pool(left=100_000)
    pool.add("x" * (LONGEST_TEXT + 5))
    assert pool.texts[0].endswith("… (5 more characters)")
    assert len(pool.texts[0]) < LONGEST_TEXT + 40


def test_a_spent_budget_still_knows_the_texts_it_holds() -> None:
    pool = Pool(left=10)
    first = pool.add("short")
    assert pool.add("another text") == MISSING
    assert pool.add("short") == first
