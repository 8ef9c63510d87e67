"""Prompts: how a problem is posed to a model, a small template file for each way (docs/generation.md)."""
