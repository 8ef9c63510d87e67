"""Decoding with a transformers model in this process."""

from __future__ import annotations

from flextune.generation.local.engine import LocalEngine

__all__ = ["LocalEngine"]
