"""Rosetta: an embedded benchmark of small composed problems in several languages, and its base model."""

from __future__ import annotations

from pathlib import Path


def model_folder() -> Path:
    """Folder of the embedded base model, in Hugging Face format."""
    return Path(__file__).parent / "model"
