from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from tests.support.optimizer_runs import ADAMW, log

from flextune.studies.optimizers.groups import Arm
from flextune.studies.optimizers.pairs import pair, race, reach
from flextune.studies.optimizers.training_numbers import Validation, training_numbers


def arm(name: str, *losses: Sequence[float | None], step_seconds: float | None = 1.0) -> Arm:
    """An arm with a training of the given validation losses for each seed."""
    held = {
        str(seed): training_numbers(log(curve, step_seconds=step_seconds))
        for seed, curve in enumerate(losses)
    }
    return Arm(name, name, {"optimizer": ADAMW}, {}, held)


def points(*held: tuple[float, float | None, float | None]) -> list[Validation]:
    return [Validation(*point) for point in held]


def test_a_loss_between_two_validations_is_reached_on_the_straight_line() -> None:
    found = reach(points((0, 1.0, 0.0), (10, 0.6, 4.0), (20, 0.2, 14.0)), 0.3)
    # 0.3 is three quarters of the way from 0.6 to 0.2.
    assert found is not None
    assert (found.step, found.seconds) == (pytest.approx(17.5), pytest.approx(11.5))


def test_a_loss_that_a_validation_has_is_reached_there() -> None:
    found = reach(points((0, 1.0, 0.0), (10, 0.6, 4.0), (20, 0.2, 14.0)), 0.6)
    assert found is not None
    assert (found.step, found.seconds) == (10, 4.0)


def test_a_loss_is_reached_the_first_time() -> None:
    found = reach(points((0, 1.0, 0.0), (10, 0.5, 1.0), (20, 0.9, 2.0), (30, 0.4, 3.0)), 0.5)
    assert found is not None
    assert found.step == 10


def test_a_loss_that_is_there_from_the_start_takes_no_step() -> None:
    found = reach(points((0, 0.4, 0.0), (10, 0.3, 1.0)), 0.5)
    assert found is not None
    assert found.step == 0


def test_a_loss_below_all_validations_is_not_reached() -> None:
    assert reach(points((0, 1.0, 0.0), (10, 0.6, 4.0)), 0.59) is None
    assert reach([], 1.0) is None


def test_nothing_is_read_into_a_stretch_without_a_number() -> None:
    found = reach(points((0, 1.0, 0.0), (10, None, 1.0), (20, 0.2, 2.0)), 0.6)
    assert found is not None
    assert (found.step, found.seconds) == (20, 2.0)
    assert reach(points((0, 1.0, 0.0), (10, None, 1.0)), 0.6) is None


def test_steps_are_known_where_seconds_are_not() -> None:
    found = reach(points((0, 1.0, None), (10, 0.0, 4.0)), 0.5)
    assert found is not None
    assert (found.step, found.seconds) == (5, None)


def test_a_race_is_to_the_references_lowest_loss_of_the_same_seed() -> None:
    reference = arm("adamw", [1.0, 0.5, 0.4], [1.0, 0.9, 0.8])
    # Seed 0 needs 0.4, which is half-way in its second stretch; seed 1 needs 0.8, reached at once.
    found = race(arm("sophia", [1.0, 0.6, 0.2], [1.0, 0.8, 0.7]), reference, reference, "step")
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(math.sqrt(15 / 20 * 10 / 20))
    assert (found.reached, found.of, found.bound) == (2, 2, None)


def test_seconds_count_what_a_step_takes() -> None:
    curves = ([1.0, 0.5], [1.0, 0.5])
    reference, slow = arm("adamw", *curves), arm("sophia", *curves, step_seconds=1.5)
    steps, seconds = (race(slow, reference, reference, clock) for clock in ("step", "seconds"))
    assert steps.ratio is not None
    assert seconds.ratio is not None
    assert (steps.ratio.value, seconds.ratio.value) == (pytest.approx(1.0), pytest.approx(1.5))


def test_a_seed_that_does_not_get_there_is_counted_and_is_no_ratio() -> None:
    reference = arm("adamw", [1.0, 0.5, 0.4], [1.0, 0.5, 0.4], [1.0, 0.4, 0.4])
    found = race(arm("lion", [1.0, 0.4, 0.4], [1.0, 0.6, 0.5], [1.0, 0.9, 0.9]), reference, reference, "step")
    assert found.ratio is not None
    assert (found.ratio.value, found.ratio.count) == (pytest.approx(0.5), 1)
    # 20 steps without success are a ratio of 1 at least in the second seed, of 2 in the third.
    assert (found.reached, found.of, found.bound) == (1, 3, pytest.approx(1.0))


def test_a_diverged_training_did_not_get_there_unless_it_did_before() -> None:
    reference = arm("adamw", [1.0, 0.5], [1.0, 0.5])
    found = race(arm("lion", [1.0, None], [1.0, 0.5]), reference, reference, "step")
    assert (found.reached, found.of) == (1, 2)


def test_a_reference_that_was_best_untrained_sets_no_race() -> None:
    reference = arm("adamw", [0.5, 0.9])
    found = race(arm("lion", [0.5, 0.4]), reference, reference, "step")
    assert (found.ratio, found.reached, found.of) == (None, 0, 0)


def test_without_seconds_there_is_a_race_in_steps_alone() -> None:
    reference = arm("adamw", [1.0, 0.5], step_seconds=None)
    other = arm("lion", [1.0, 0.4], step_seconds=None)
    assert race(other, reference, reference, "step").of == 1
    assert race(other, reference, reference, "seconds").of == 0


def test_differences_are_paired_by_seed() -> None:
    # The seeds differ by far more than the arms do.
    found = pair(arm("a", [0.11], [0.52], [0.93]), arm("b", [0.10], [0.50], [0.90]))
    assert found.loss is not None
    assert found.loss.low is not None
    assert found.loss.value == pytest.approx(0.02)
    assert found.loss.low > -0.01
    crossed = pair(arm("a", [0.11], [0.52], [0.93]), arm("b", [0.90], [0.50], [0.10]))
    assert crossed.loss is not None
    assert crossed.loss.low is not None
    assert crossed.loss.low < -1


def test_seeds_that_one_arm_lacks_are_left_out() -> None:
    found = pair(arm("a", [0.1], [0.5]), arm("b", [0.2]))
    assert found.loss is not None
    assert (found.loss.count, found.loss.value) == (1, pytest.approx(-0.1))


def test_perplexitys_ratio_is_the_geometric_mean_over_seeds() -> None:
    found = pair(arm("a", [0.3], [0.5]), arm("b", [0.2], [0.1]))
    assert found.perplexity is not None
    assert found.perplexity.value == pytest.approx(math.sqrt(math.exp(0.1) * math.exp(0.4)))


def test_a_diverged_seed_is_in_no_difference_and_is_counted() -> None:
    found = pair(arm("a", [1.0, 0.1], [1.0, None]), arm("b", [1.0, 0.2], [1.0, 0.2]))
    assert found.loss is not None
    assert (found.loss.count, found.diverged) == (1, 1)
    assert found.lowest is not None
    assert found.lowest.count == 2


def test_costs_are_ratios_of_the_same_seed() -> None:
    curves = ([1.0, 0.5], [1.0, 0.5])
    found = pair(arm("a", *curves, step_seconds=3.0), arm("b", *curves, step_seconds=2.0))
    assert found.seconds_per_step is not None
    assert found.memory is not None
    assert (found.seconds_per_step.value, found.memory.value) == (pytest.approx(1.5), pytest.approx(1.0))


def test_one_seed_has_no_ratio_of_times_but_of_steps_and_memory() -> None:
    found = pair(arm("a", [1.0, 0.5], step_seconds=3.0), arm("b", [1.0, 0.5], step_seconds=2.0))
    assert (found.seconds, found.seconds_per_step, found.seconds_to_loss.ratio) == (None, None, None)
    assert found.too_few_timed
    assert found.seconds_to_loss.too_few
    assert found.memory is not None
    assert found.steps_to_loss.ratio is not None


def test_without_any_time_too_few_seeds_are_not_the_reason() -> None:
    found = pair(arm("a", [1.0, 0.5], step_seconds=None), arm("b", [1.0, 0.5], step_seconds=None))
    assert found.seconds_per_step is None
    assert not found.too_few_timed
    assert not found.seconds_to_loss.too_few
