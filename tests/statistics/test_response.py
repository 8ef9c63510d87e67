"""The fitted surface, beside what it was drawn from and a direct solution."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from flextune.statistics.response import FEWEST_POINTS, fit_response

GRID = np.stack(np.meshgrid(np.linspace(0, 1, 6), np.linspace(0, 1, 6)), axis=-1).reshape(-1, 2)


def hill(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(30 + 20 * np.exp(-(((places - 0.4) / 0.4) ** 2).sum(axis=-1)))


def test_without_noise_the_surface_goes_through_its_points() -> None:
    fitted = fit_response(GRID, hill(GRID), np.zeros(len(GRID)))
    mean, spread = fitted.at(GRID)
    assert mean == pytest.approx(hill(GRID), abs=0.1)
    assert spread.max() < 0.5


@pytest.mark.slow
def test_between_its_points_it_is_near_the_truth_and_knows_how_near() -> None:
    rng = np.random.default_rng(3)
    places = rng.random((200, 2))
    covered = []
    for _ in range(8):
        noise = rng.normal(scale=2.0, size=len(GRID))
        fitted = fit_response(GRID, hill(GRID) + noise, np.full(len(GRID), 4.0))
        mean, spread = fitted.at(places)
        assert np.abs(mean - hill(places)).mean() < 2.0
        covered.append(float((np.abs(mean - hill(places)) < 2 * spread).mean()))
    assert 0.8 < np.mean(covered) <= 1


def test_mean_and_spread_are_those_of_the_conditional_normal_distribution() -> None:
    rng = np.random.default_rng(4)
    values, variances = hill(GRID) + rng.normal(size=len(GRID)), rng.uniform(0.5, 2.0, len(GRID))
    fitted = fit_response(GRID, values, variances)
    place = np.array([[0.3, 0.7]])
    between = np.concatenate([place, GRID])
    apart = ((between[:, None] - between[None]) / np.array(fitted.lengths)) ** 2
    joint = fitted.size**2 * np.exp(-0.5 * apart.sum(axis=-1))
    inverse = np.linalg.inv(joint[1:, 1:] + np.diag(variances + fitted.unexplained**2))
    wanted = fitted.mean + joint[0, 1:] @ inverse @ (values - fitted.mean)
    variance = joint[0, 0] - joint[0, 1:] @ inverse @ joint[1:, 0]
    mean, spread = fitted.at(place)
    assert mean[0] == pytest.approx(wanted, rel=1e-4)
    assert spread[0] == pytest.approx(np.sqrt(variance), rel=1e-3)


def test_noise_alone_gives_a_surface_that_hardly_moves() -> None:
    rng = np.random.default_rng(5)
    fitted = fit_response(GRID, 34 + rng.normal(scale=3.0, size=len(GRID)), np.full(len(GRID), 9.0))
    mean, _ = fitted.at(GRID)
    assert np.ptp(mean) < 6
    assert mean.mean() == pytest.approx(34, abs=2)


def test_far_from_all_points_it_is_as_uncertain_as_before_any() -> None:
    corner = GRID / 10
    fitted = fit_response(corner, hill(GRID), np.full(len(GRID), 1.0))
    _, spread = fitted.at(np.array([[40.0, 40.0]]))
    assert spread[0] == pytest.approx(fitted.size)


def test_few_points_have_no_surface() -> None:
    few = FEWEST_POINTS - 1
    with pytest.raises(ValueError, match="takes 6 points or more"):
        fit_response(GRID[:few], hill(GRID[:few]), np.ones(few))
