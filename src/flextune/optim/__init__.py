"""Optimizers in plain torch, for any training loop."""
