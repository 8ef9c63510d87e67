"""Samples from anywhere: chat answers, human-eval, EvalPlus, MultiPL-E and BigCode files, or our lines."""

from __future__ import annotations

from flextune.data.samples.reading import LONGEST_SOURCE, SampleReader, read_samples

__all__ = ["LONGEST_SOURCE", "SampleReader", "read_samples"]
