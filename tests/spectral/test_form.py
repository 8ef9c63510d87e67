from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.spectral import reference

from flextune.spectral.form import (
    PRESETS,
    PenaltyForm,
    decoupled_strength,
    eigenvalues,
    mask,
    multiplicity,
    preset,
    trace,
)

numbers = {
    "cutoff": st.floats(0.05, 3),
    "low": st.floats(0, 1),
    "high": st.floats(0, 1),
    "cutoff_of": st.sampled_from(["bins", "length"]),
    "norm": st.sampled_from(["ortho", "backward"]),
    "onesided": st.booleans(),
}


@pytest.mark.parametrize(("cutoff_of", "total"), [("bins", 6), ("length", 11)])
def test_mask_follows_the_papers_formula(cutoff_of: Any, total: int) -> None:
    form = PenaltyForm(low=0.9, high=0.2, cutoff_of=cutoff_of)
    expected = [0.9 + (0.2 - 0.9) * min(1, k / (total * 0.5)) for k in range(6)]
    assert mask(11, form).tolist() == pytest.approx(expected, abs=1e-15)


def test_the_two_readings_of_n_end_the_ramp_at_half_of_nyquist_and_at_nyquist() -> None:
    bins, length = (1 - mask(4096, PenaltyForm(cutoff_of=name)) for name in ("bins", "length"))
    assert bins.mean().item() == pytest.approx(0.675, abs=1e-3)
    assert length.mean().item() == pytest.approx(0.45, abs=1e-3)
    assert bins[0] == length[0] == 0


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 10])
def test_multiplicity_counts_the_bins_of_the_full_transform(length: int) -> None:
    folded = [min(k, length - k) for k in range(length)]
    assert multiplicity(length).tolist() == [folded.count(k) for k in range(length // 2 + 1)]


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.sampled_from(["fourier", "reversed", "permuted", "l2"]),
    st.fixed_dictionaries(numbers),
)
def test_every_control_has_the_trace_of_the_fourier_penalty(length: int, kind: Any, options: Any) -> None:
    expected = reference.trace(length, PenaltyForm(**options))
    assert trace(length, PenaltyForm(kind=kind, **options)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_reversed_weights_low_frequencies_as_fourier_weights_high_ones() -> None:
    for length in (10, 11):
        fourier, reverse = (
            eigenvalues(length, PenaltyForm(kind=kind, onesided=False)) for kind in ("fourier", "reversed")
        )
        assert (fourier.diff() >= 0).all()
        assert (reverse.diff() <= 0).all()
        torch.testing.assert_close(reverse / reverse.max(), (fourier / fourier.max()).flip(0))


def test_paper_literal_leaves_the_transform_unscaled() -> None:
    assert preset("default") == PenaltyForm()
    assert preset("paper-literal").norm == "backward"
    assert preset("paper-literal", cutoff=0.25) == PenaltyForm(norm="backward", cutoff=0.25)
    ratio = eigenvalues(12, PRESETS["paper-literal"]) / eigenvalues(12, PRESETS["default"])
    torch.testing.assert_close(ratio[1:], torch.full_like(ratio[1:], 12))


def test_decoupled_strength_shrinks_the_matched_l2_control_by_what_was_asked() -> None:
    form, rates = PenaltyForm(), [2e-4 * 0.5 * (1 + math.cos(math.pi * step / 282)) for step in range(282)]
    strength = decoupled_strength(0.3, sum(rates), 4096, form)
    value = trace(4096, form) / 4096
    left = math.prod(1 / (1 + 2 * rate * strength * value) for rate in rates)
    assert 1 - left == pytest.approx(0.3, rel=1e-2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cutoff": 0}, "cutoff 0: must be above 0"),
        ({"cutoff": -0.5}, "cutoff -0.5"),
        ({"cutoff": math.nan}, "cutoff nan"),
        ({"low": 1.5}, "low 1.5: phi lies between 0 and 1"),
        ({"high": -0.1}, "high -0.1"),
        ({"high": math.nan}, "high nan"),
        ({"kind": "sine"}, r"kind 'sine': unknown \(known: fourier, reversed, permuted, l2, update\)"),
        ({"norm": "forward"}, "norm 'forward': unknown"),
        ({"cutoff_of": "entries"}, "cutoff_of 'entries': unknown"),
        ({"flatten": "diagonal"}, "flatten 'diagonal': unknown"),
        ({"target": "C"}, "target 'C': unknown"),
        ({"reduction": "max"}, "reduction 'max': unknown"),
        ({"onesided": "one"}, "onesided 'one': unknown"),
        ({"kind": "update", "flatten": "column"}, "flatten 'column': has no meaning for kind 'update'"),
        ({"kind": "update", "target": "A"}, "target 'A': has no meaning"),
        ({"kind": "update", "onesided": False}, "onesided False: has no meaning"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        PenaltyForm(**options)
    assert "\n" not in str(caught.value)


def test_other_bad_numbers_are_named() -> None:
    with pytest.raises(ValueError, match=r"preset 'paper': unknown \(known: default, paper-literal\)"):
        preset("paper")
    with pytest.raises(ValueError, match="length 0"):
        mask(0, PenaltyForm())
    with pytest.raises(ValueError, match="shrinkage 1"):
        decoupled_strength(1, 1, 8, PenaltyForm())
    with pytest.raises(ValueError, match="rate_sum 0"):
        decoupled_strength(0.5, 0, 8, PenaltyForm())
    with pytest.raises(ValueError, match="zero at every strength"):
        decoupled_strength(0.5, 1, 8, PenaltyForm(high=1))
