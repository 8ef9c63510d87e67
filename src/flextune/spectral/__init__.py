"""The frequency-domain penalty and the spectra of adapters; needs torch alone."""

from __future__ import annotations

from flextune.spectral.form import PRESETS, PenaltyForm, preset
from flextune.spectral.pairs import LoraPair, lora_pairs
from flextune.spectral.penalty import Penalty

__all__ = ["PRESETS", "LoraPair", "Penalty", "PenaltyForm", "lora_pairs", "preset"]
