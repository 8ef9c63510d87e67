from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flextune as ft
from flextune.records import Example, Problem
from flextune.sources.overlap import overlap
from flextune.sources.shingles import LENGTH, jaccard, shingles

TASK = "Return the sum of every third element of the list, but skip the ones that are negative or odd."
SOLUTION = """\
    total = 0
    for index, value in enumerate(values):
        if index % 3 == 0 and value > 0 and not value % 2:
            total += value
    return total
"""


def problem(
    name: str = "p", prompt: str = TASK, reference: str | None = SOLUTION, language: str = "py"
) -> Problem:
    return Problem(name, "mine", language, prompt, "assert True", reference=reference)


def test_a_problem_is_found_within_a_longer_text_by_prompt_and_solution() -> None:
    other = "Nothing of this has anything to do with what the other ones are about, not even remotely so."
    examples = [
        Example("far", other, other),
        Example("whole", "A file.\n" * 40, f"def f(values):\n{SOLUTION}" + "x = 1\n" * 90),
        Example("words", "Task: " + TASK.upper(), "pass"),
    ]
    found = overlap(examples, [problem(), problem("q", other + " At all.", None)])
    assert [(c.problem, c.part, c.example, round(c.share, 2)) for c in found.copies] == [
        ("p", "prompt", "words", 1.0),
        ("p", "solution", "whole", 1.0),
        ("q", "prompt", "far", round(found.copies[2].share, 2)),
    ]
    assert found.touched == ("py p", "py q")
    assert (found.examples, found.problems, found.short) == (3, 2, 0)


def test_what_all_problems_of_a_benchmark_begin_with_is_no_copy() -> None:
    frame = "import java.util.*; import java.math.*; class Problem { public static long solve ( ) } "
    problems = [
        problem(f"p{n}", frame + " ".join(f"word{n}x{k}" for k in range(20)), None) for n in range(40)
    ]
    assert overlap([Example("e", frame, "return 1;")], problems, threshold=0.01).copies == ()
    (copy,) = overlap([Example("e", problems[3].prompt, "")], problems).copies
    assert (copy.problem, copy.share) == ("p3", 1.0)


def test_short_parts_are_counted_and_not_compared() -> None:
    found = overlap([Example("e", "", "return x")], [problem("p", "Say.", "return x")])
    assert (found.copies, found.short) == ((), 2)


@given(st.text(max_size=60), st.integers(1, 7))
def test_shingles_know_neither_case_nor_spaces(text: str, length: int) -> None:
    spread = shingles(text.replace(" ", " \n\t"), length)
    assert spread == shingles(text, length)
    assert jaccard(spread, spread) == 1.0


def test_a_shared_run_is_counted_like_by_hand() -> None:
    words = [f"w{n}" for n in range(20)]
    first, second = " ".join(words), " ".join(["x", *words[1:]])
    runs = 20 - LENGTH + 1
    assert jaccard(shingles(first), shingles(second)) == pytest.approx((runs - 1) / (runs + 1))


@pytest.mark.data
def test_mbpps_training_tasks_are_no_copies_of_humaneval_but_of_mbpps_tests(real_data: Path) -> None:
    assert ft.overlap("mbpp", "humaneval", data_dir=real_data).copies == ()
    own = ft.overlap("mbpp", "mbpp", data_dir=real_data)
    assert ("MBPP/67", "MBPP/608") in {(copy.problem, copy.example) for copy in own.copies}
