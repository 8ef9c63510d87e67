"""What is kept at equal learning, and how often equal families are called different."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.planes import DrawnPlane

from flextune.statistics.resampling import resample
from flextune.studies.transfer import equal_learning as module
from flextune.studies.transfer.equal_learning import equal_learning, kept_at, reference_family
from flextune.studies.transfer.families import Family

#: Seed of the simulations.
SEED = 20261127
REFERENCE = (0.60, 0.48, 0.36, 0.25)
OTHER = (0.63, 0.50, 0.40, 0.30, 0.18)


def line(levels: tuple[float, ...], gap: float = 0.0) -> dict[float, float]:
    """What is kept on one straight line, and ``gap`` below it."""
    return {learned: 0.6 - 0.6 * learned - gap for learned in levels}


def at(level: float, *points: tuple[float, float]) -> float:
    learned, kept = (np.array([side]) for side in zip(*points, strict=True))
    return float(kept_at(learned, kept, np.array([level]))[0])


def test_between_two_arms_a_family_keeps_what_the_straight_line_says() -> None:
    assert at(0.25, (0.2, 0.5), (0.3, 0.3)) == pytest.approx(0.4)
    assert at(0.25, (0.3, 0.3), (0.2, 0.5)) == pytest.approx(0.4)


def test_at_an_arm_it_keeps_what_the_arm_keeps() -> None:
    assert at(0.3, (0.2, 0.5), (0.3, 0.3), (0.4, 0.1)) == pytest.approx(0.3)


def test_beyond_its_arms_nothing_is_told() -> None:
    assert np.isnan(at(0.1, (0.2, 0.5), (0.3, 0.3)))
    assert np.isnan(at(0.1, (0.2, 0.5)))


def test_where_a_line_passes_a_level_twice_the_mean_counts() -> None:
    assert at(0.25, (0.2, 0.5), (0.3, 0.5), (0.2, 0.1)) == pytest.approx(0.4)


def test_the_reference_is_the_papers_penalty_or_else_the_longest_line() -> None:
    lone, short, long = (
        Family("a", "", ("x",)),
        Family("b", "k", ("x", "y")),
        Family("c", "k", ("1", "2", "3")),
    )
    fourier = Family("d", "k", ("x", "z"), fourier=True)
    assert reference_family([lone, short, long, fourier]) is fourier
    assert reference_family([lone, short, long]) is long
    assert reference_family([lone]) is None


def test_a_level_that_the_other_family_does_not_reach_cannot_be_told() -> None:
    drawn = DrawnPlane(line(REFERENCE), line((0.12, 0.08))).draw(np.random.default_rng(SEED))
    (compared,) = equal_learning(drawn)
    assert [level.difference for level in compared.levels] == [None] * 2
    assert (compared.difference, compared.adjusted_p, compared.verdict) == (None, None, "not compared")
    assert compared.reach[1] < compared.reference_reach[0]


def test_an_arm_that_is_alone_is_compared_at_its_own_learning() -> None:
    drawn = DrawnPlane(line(REFERENCE), line((0.4,), 0.25)).draw(np.random.default_rng(SEED))
    (compared,) = equal_learning(drawn)
    (level,) = compared.levels
    assert (level.arm, level.learned) == ("o0", drawn.point("o0").learned.value)
    assert level.other == drawn.point("o0").kept.value
    assert level.difference.low > 0
    assert compared.verdict == "likely"


def test_a_family_between_the_references_levels_is_compared_at_its_own() -> None:
    between = DrawnPlane(line((0.65, 0.2)), line((0.5, 0.4), 0.2), problems=200)
    (compared,) = equal_learning(between.draw(np.random.default_rng(SEED)))
    assert [level.arm for level in compared.told] == ["o0", "o1"]
    assert compared.difference.low > 0.1


def test_the_mean_is_over_the_levels_that_can_be_told() -> None:
    drawn = DrawnPlane(line(REFERENCE), line(OTHER), problems=300).draw(np.random.default_rng(SEED))
    (compared,) = equal_learning(drawn)
    differences = [level.difference.value for level in compared.told]
    assert len(differences) >= 2
    assert compared.difference.value == pytest.approx(np.mean(differences))


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "spread"), [(3, 0.05), (5, 0.0), (5, 0.03)])
def test_families_on_one_line_are_called_different_in_one_of_twenty_runs_at_most(
    seeds: int, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 150
    share = simulated(DrawnPlane(line(REFERENCE), line(OTHER), seeds, 60, spread), runs, monkeypatch)
    assert share <= 0.05 + np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.slow
def test_a_planted_gap_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    gap = DrawnPlane(line(REFERENCE), line(OTHER, 0.12), seeds=5, problems=100, seed_spread=0.03)
    assert simulated(gap, 40, monkeypatch) >= 0.8


def simulated(design: DrawnPlane, runs: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Share of drawn runs that call the two families different."""
    monkeypatch.setattr(module, "resample", lambda *given: resample(*given, draws=200))
    rng = np.random.default_rng(SEED)
    verdicts = [equal_learning(design.draw(rng))[0].verdict for _ in range(runs)]
    share = verdicts.count("likely") / runs
    untold = verdicts.count("not compared")
    print(f"seed {SEED}: {share:.3f} of {runs} runs called different ({untold} could not be told)")
    return share
