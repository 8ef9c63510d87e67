from __future__ import annotations

import numpy as np

from flextune.rosetta.compositions import alternatives, parse
from flextune.rosetta.splits import compositions
from flextune.rosetta.testing import choose, killed, mutants, some_cases


def test_a_mutant_differs_in_one_step_and_fits_its_place():
    program = parse("keep_above_3__total")
    found = list(mutants(program))
    assert (alternatives(program.steps[0])[0], program.steps[1]) in found
    for steps in found:
        assert sum(a != b for a, b in zip(steps, program.steps, strict=True)) == 1
        assert steps[0].operation.gives == steps[1].operation.takes


def test_a_mutant_without_a_result_is_not_caught_by_that():
    largest = parse("keep_above_3__largest")
    assert not killed(largest.steps, [([], 0)])
    assert killed(largest.steps, [([5], 4)])


def test_chosen_inputs_are_defined_short_and_distinct():
    for program in compositions("fine-tuning", 2)[::100]:
        chosen = choose(program)
        assert 5 <= len(chosen) <= 8
        assert len({repr(value) for value in chosen}) == len(chosen)
        assert all(len(repr(value)) <= 48 and len(repr(program(value))) <= 48 for value in chosen)


def test_some_cases_are_right_and_show_different_results():
    program = parse("keep_above_3__total")
    found = some_cases(program, np.random.default_rng(0))
    assert len({expected for _, expected in found}) == 3
    assert all(sum(v for v in given if v > 3) == expected for given, expected in found)
