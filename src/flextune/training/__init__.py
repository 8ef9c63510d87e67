"""Fine-tuning: the penalty in any transformers or TRL Trainer, our own, and one call that runs it."""

from __future__ import annotations

from flextune.training.hosts import SpectralCallback, SpectralLossMixin

__all__ = ["SpectralCallback", "SpectralLossMixin"]
