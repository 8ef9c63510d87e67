"""From what a model wrote to the program that is judged: docs/answers.md is the policy."""

from __future__ import annotations

from flextune.data.answers.reading import (
    judged_pair,
    read_answer,
    read_completion,
    read_program,
    read_text,
)
from flextune.data.answers.rules import REVISION, RULES, Extraction, Step

__all__ = [
    "REVISION",
    "RULES",
    "Extraction",
    "Step",
    "judged_pair",
    "read_answer",
    "read_completion",
    "read_program",
    "read_text",
]
