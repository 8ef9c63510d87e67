from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from flextune.records import Completion, as_row
from flextune.report.run_data import RunData, read_run
from flextune.runs.run import Run
from flextune.studies.scores.program_pool import LONGEST_TEXT, MISSING, Pool, shortened
from flextune.studies.scores.program_sets import LETTERS
from flextune.studies.scores.programs import programs

# Of a problem's row in the page's data.
NAME, PROMPT, OUTCOMES, PROGRAMS = 0, 1, 4, 5
ARM, SEED, SAMPLE, TEXT, TOKENS = 0, 1, 2, 3, 5


def rows(data: dict[str, Any]) -> list[list[Any]]:
    return [row for one in data["sets"] for row in one["problems"]]


def cells(data: dict[str, Any]) -> list[list[Any]]:
    return [cell for row in rows(data) for cell in row[PROGRAMS]]


def index(run: RunData) -> int:
    """Bytes that the problems and outcomes take, without any text."""
    return len(json.dumps(programs(run, budget=0)["sets"]))


def test_every_program_is_there_with_its_text_and_outcome(small_run: Path) -> None:
    data = programs(read_run(small_run))
    assert data["omitted"] == 0
    assert len(cells(data)) == 6 * 6 * (1 + 3 * 3)
    java = next(one for one in data["sets"] if one["id"] == "java-base")
    assert java["label"] == "Java · old words"
    first, lora = java["problems"][0], data["arms"].index("lora")
    folder = java["folders"][lora][java["seeds"][lora].index("1")]
    lines = (small_run / "generated" / folder / "completions.jsonl").read_text().splitlines()
    (cell,) = [c for c in first[PROGRAMS] if c[:3] == [lora, 1, 0]]
    assert data["pool"][cell[TEXT]] == json.loads(lines[0])["text"]
    assert cell[TOKENS] == 40
    assert data["pool"][first[PROMPT]].startswith("class Problem {")
    outcomes = first[OUTCOMES][lora].split(",")
    verdict = json.loads((small_run / "judged" / folder / "verdicts.jsonl").read_text().splitlines()[0])
    assert data["outcomes"][LETTERS.index(outcomes[1])] == verdict["outcome"]


def test_equal_texts_are_held_once(small_run: Path) -> None:
    pool = programs(read_run(small_run))["pool"]
    assert len(pool) == len(set(pool))


def test_every_outcome_is_there_even_where_the_budget_left_texts_out(small_run: Path) -> None:
    run = read_run(small_run)
    full, tight = programs(run), programs(run, budget=index(run) + 8_000)
    assert tight["omitted"] > 0
    assert len(cells(tight)) + tight["omitted"] == len(cells(full))
    assert len(json.dumps(tight["pool"])) < 8_100
    assert [row[OUTCOMES] for row in rows(tight)] == [row[OUTCOMES] for row in rows(full)]


def test_a_tight_budget_is_shared_by_all_sets_and_spent_on_what_changed_most(small_run: Path) -> None:
    run = read_run(small_run)
    tight = programs(run, budget=index(run) + 14_000)
    held = {one["id"]: [row for row in one["problems"] if row[PROGRAMS]] for one in tight["sets"]}
    counts = [len(found) for found in held.values()]
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 1
    assert sum(counts) < 36

    def change(row: list[Any]) -> float:
        rates = [
            letters.replace(",", "").count("a") / len(letters.replace(",", "")) for letters in row[OUTCOMES]
        ]
        return max(abs(rate - rates[0]) for rate in rates)

    for one in tight["sets"]:
        shown = [change(row) for row in one["problems"] if row[PROGRAMS]]
        hidden = [change(row) for row in one["problems"] if not row[PROGRAMS]]
        assert min(shown) >= max(hidden)


def test_a_problem_is_shown_with_all_arms_or_not_at_all(small_run: Path) -> None:
    run = read_run(small_run)
    tight = programs(run, budget=index(run) + 14_000)
    assert {len(row[PROGRAMS]) for row in rows(tight)} == {0, 1 + 3 * 3}


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
    data = programs(with_samples(read_run(small_run), 2))
    assert {cell[SAMPLE] for cell in cells(data)} == {0}
    assert all(len(seed) == 2 for row in rows(data) for arm in row[OUTCOMES] for seed in arm.split(","))


def test_an_answer_that_was_cut_at_its_limit_has_a_capital_letter(small_run: Path) -> None:
    generated = Run(small_run).generated("baseline-py-base--")
    cut = [replace(c, finish="length") for c in generated.completions().values()]
    lines = "".join(json.dumps(as_row(completion)) + "\n" for completion in cut)
    generated.completions_file.write_text(lines)
    data = programs(read_run(small_run))
    python = next(one for one in data["sets"] if one["id"] == "py-base")
    assert all(row[OUTCOMES][0].isupper() for row in python["problems"])
    assert all(letters.islower() for row in python["problems"] for letters in row[OUTCOMES][1:])
    assert isinstance(cut[0], Completion)


def test_a_long_text_is_cut_and_says_so() -> None:
    text = shortened("x" * (LONGEST_TEXT + 5))
    assert text.endswith("… (5 more characters)")
    assert len(text) < LONGEST_TEXT + 40
    assert shortened("short") == "short"


def test_a_pool_takes_all_texts_or_none_and_knows_those_that_it_holds() -> None:
    pool = Pool(left=20)
    assert pool.add(["short", "short"]) == [0, 0]
    assert pool.add(["a", "a text that is too long"]) is None
    assert pool.texts == ["short"]
    assert pool.add(["short"]) == [0]
    assert MISSING not in pool.places.values()
