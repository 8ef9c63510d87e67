"""Fine-tuning: penalty and Sophia in any transformers or TRL Trainer, our own, and one call that runs it."""

from __future__ import annotations

from flextune.training.callbacks.penalty import SpectralCallback, SpectralLossMixin
from flextune.training.callbacks.sophia import SophiaMixin

__all__ = ["SophiaMixin", "SpectralCallback", "SpectralLossMixin"]
