from __future__ import annotations

import math
from dataclasses import replace

from benchmarks.statistics import Cell, designs, measure, table, too_high

from flextune.statistics.simulation import Design

CELL = Cell(Design(20, 3), "none", 400, type_1=0.05, same_at_margin=0.0, power=0.4, covered=0.95)


def test_the_designs_are_those_that_are_promised() -> None:
    every = [design for design, _ in designs()]
    assert {design.problems for design in every} == {20, 40, 164, 320}
    assert {1, 3, 5, 12} < {design.seeds for design in every}
    assert {design.rate for design in every} == {0.01, 0.1, 0.5, 0.9}
    assert {(design.samples, design.baseline) for design in every} == {
        (samples, baseline) for samples in (1, 20) for baseline in ("once", "as many")
    }


def test_a_design_gives_the_same_shares_again_and_one_training_no_verdict() -> None:
    task = (7, Design(20, 3, rate=0.5), "none", 20, 0)
    assert measure(task) == measure(task)
    few = measure((7, Design(20, 1, rate=0.5), "none", 20, 0))
    assert (few.type_1, few.power) == (0.0, 0.0)
    assert math.isnan(few.covered)


def test_a_share_above_the_limit_by_more_than_chance_is_found() -> None:
    assert not too_high(CELL)
    assert too_high(replace(CELL, type_1=0.12))
    assert too_high(replace(CELL, same_at_margin=0.12))


def test_the_table_has_the_worst_of_the_designs_of_a_row() -> None:
    rows = list(table([CELL, replace(CELL, type_1=0.01)]))
    assert rows[2].startswith("| 20 | 3 | 5.0 | – | – | 0.0 | 40.0 | – |")
