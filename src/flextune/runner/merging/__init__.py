"""Merge an adapter, or audit a merge: which base model, which prompts, which answers."""
