"""The colours of figures by the rules of WCAG 2.2 and of colour vision (Machado et al. 2009)."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from flextune.records import OUTCOMES
from flextune.report.palette import (
    ARM_INKS,
    BASELINE,
    DARK,
    DARK_PAPER,
    OUTCOME_STYLES,
    PAPER,
    Ink,
    arm_style,
)

Ground = Literal["light", "dark"]
ARMS = (BASELINE.ink, *ARM_INKS)
PAPERS: dict[str, str] = {"light": PAPER, "dark": DARK_PAPER}
#: What dichromats see, in linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
LMS = np.array(
    [
        [0.41222147, 0.53633254, 0.05144599],
        [0.21190350, 0.68069954, 0.10739696],
        [0.08830246, 0.28171884, 0.62997870],
    ]
)
LAB = np.array(
    [
        [0.21045426, 0.79361779, -0.00407205],
        [1.97799850, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
)


def linear(colour: str) -> NDArray[np.float64]:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def distance(one: str, other: str, vision: str = "normal") -> float:
    """In Oklab: 0.02 is just seen side by side, black and white are 1 apart."""
    seen = [np.clip(VISION[vision] @ linear(colour), 0, 1) for colour in (one, other)]
    return float(np.linalg.norm(np.subtract(*(LAB @ np.cbrt(LMS @ rgb) for rgb in seen))))


def on(ground: Ground, ink: Ink) -> str:
    return ink.light if ground == "light" else ink.dark


@pytest.mark.parametrize("ground", PAPERS)
def test_every_colour_has_a_contrast_of_3_to_1_with_its_ground(ground: Ground) -> None:
    inks = [*ARMS, *(style.ink for style in OUTCOME_STYLES.values())]
    found = {on(ground, ink): contrast(on(ground, ink), PAPERS[ground]) for ink in inks}
    assert {colour: value for colour, value in found.items() if value < 3} == {}


@pytest.mark.parametrize("ground", PAPERS)
def test_no_arm_has_the_colour_of_an_outcome(ground: Ground) -> None:
    outcomes = {on(ground, style.ink) for style in OUTCOME_STYLES.values()}
    near = [
        (on(ground, ink), other)
        for ink in ARMS
        for other in outcomes
        if distance(on(ground, ink), other) < 0.05
    ]
    assert near == []


@pytest.mark.parametrize("ground", PAPERS)
@pytest.mark.parametrize("vision", VISION)
def test_arms_are_told_apart_with_every_colour_vision(ground: Ground, vision: str) -> None:
    colours = [on(ground, ink) for ink in ARMS]
    near = [pair for pair in combinations(colours, 2) if distance(*pair, vision) < 0.05]
    assert near == []


@pytest.mark.parametrize("ground", PAPERS)
def test_outcomes_differ_in_pattern_or_in_lightness_so_that_grey_print_tells_them_apart(
    ground: Ground,
) -> None:
    assert set(OUTCOME_STYLES) == set(OUTCOMES)
    same = [
        (one, other)
        for (one, a), (other, b) in combinations(OUTCOME_STYLES.items(), 2)
        if a.pattern == b.pattern and contrast(on(ground, a.ink), on(ground, b.ink)) < 1.3
    ]
    assert same == []


def test_beyond_the_colours_arms_have_patterns_and_dashes() -> None:
    styles = [arm_style(place) for place in range(3 * len(ARM_INKS))]
    assert len({(style.colour, style.pattern) for style in styles}) == len(styles)
    assert len({(style.colour, style.dash) for style in styles}) == len(styles)
    assert {style.pattern for style in styles[: len(ARM_INKS)]} == {""}


def test_every_colour_has_one_for_a_dark_ground() -> None:
    assert {ink.light for ink in ARMS} | {style.colour for style in OUTCOME_STYLES.values()} <= set(DARK)
