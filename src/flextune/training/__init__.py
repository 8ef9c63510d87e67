"""Fine-tuning: penalty and Sophia in any transformers or TRL Trainer, our own, and one call that runs it."""

from __future__ import annotations

from flextune.training.curvature import SophiaMixin
from flextune.training.hosts import SpectralCallback, SpectralLossMixin

__all__ = ["SophiaMixin", "SpectralCallback", "SpectralLossMixin"]
