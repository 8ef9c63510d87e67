from __future__ import annotations

import pytest

from flextune.rosetta.behaviour import NOTHING, canonical, results, signatures, sound
from flextune.rosetta.compositions import parse


def marks(name: str) -> tuple[str, ...]:
    program = parse(name)
    return signatures(program.steps, program.takes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scale_2__total", "total__multiply_2"),
        ("shift_2__shift_3", "shift_3__shift_2"),
        ("upper__reverse_text", "reverse_text__upper"),
        ("sort_up__largest", "largest"),
    ],
)
def test_programs_of_one_meaning_have_one_signature(one, other):
    assert marks(one) == marks(other)


def test_programs_of_different_meaning_differ_on_every_block():
    assert set(marks("keep_above_3__total")).isdisjoint(marks("keep_above_4__total"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sort_up__largest", "the first step changes nothing"),
        ("absolute__keep_positive__absolute", "the last step changes nothing"),
        ("keep_above_9__keep_below_2", "always empty"),
        ("keep_even__count_even__modulo_2__multiply_2", "nearly constant"),
        ("multiply_9__countdown", "mostly without a result"),
        ("square__square__square__square", "too large"),
        ("double_letters__double_letters__double_letters__double_letters", "too long"),
    ],
)
def test_programs_that_make_no_problem_are_refused(name, reason):
    assert not sound(parse(name)), reason


def test_a_plain_problem_is_sound():
    assert sound(parse("keep_above_3__total"))


def test_a_missing_result_stays_missing_in_later_steps():
    assert results(parse("largest__add_2").steps, [[1, 5], []]) == [7, NOTHING]


def test_maps_are_equal_in_any_order():
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
